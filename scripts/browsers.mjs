/** How tests start the two browsers: one place for Vitest's browser mode and for Playwright. */
import { tools } from './setup.mjs';

/** Without these two Firefox never offers a loopback candidate, and a livekit-server on loopback is out of its reach. */
const firefoxLoopback = {
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
};

/** A microphone and a camera that ask nobody. */
const firefoxFakeMedia = { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true };

/** No path when the tool is missing: the launch then fails by itself, and no test is passed over in silence. */
export function launchOptions(name) {
  const { path, channel } = tools()[name] ?? {};
  return {
    ...(path === undefined ? {} : { executablePath: path }),
    ...(channel === undefined ? {} : { channel }),
    ...(name === 'firefox'
      ? { firefoxUserPrefs: { ...firefoxLoopback, ...firefoxFakeMedia } }
      : { args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] }),
  };
}
