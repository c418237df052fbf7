import { findCall } from './call.js';
import { createDuo } from './duo.js';
import { h } from './dom.js';
import { createSolo } from './solo.js';

const makeCall = await findCall();
document.getElementById('app')?.append(createSolo(makeCall) ?? createDuo(makeCall));

// An invite link pasted into the address bar of an open page changes its fragment only.
addEventListener('hashchange', () => location.reload());

// What nobody caught is said too; a page that stands still in silence helps nobody.
addEventListener('unhandledrejection', ({ reason }) => {
  console.error(reason);
  document.body.append(
    h('p', { className: 'page-note', role: 'alert' }, 'Something went wrong here that should not. Reload the page.'),
  );
});
