/**
 * The one page of the suite. Node loads a contestant's module into it by name and calls its steps; what they answer
 * crosses as JSON. A page loads only the contestant that it hosts.
 */
const modules = import.meta.glob('./rows/*/*.mjs');

/** Steps of the loaded contestant, by the role that this page plays (`main` unless a row says otherwise). */
let role = null;

window.bench = {
  load: async (name, roleName) => {
    const load = modules[`./rows/${name}.mjs`];
    if (load === undefined) throw new Error(`bench: no contestant ${name}`);
    role = (await load())[roleName];
    if (role === undefined) throw new Error(`bench: ${name} has no role ${roleName}`);
    return Object.keys(role);
  },
  call: async (step, input) => (await role[step](input)) ?? null,
};
document.documentElement.dataset.ready = 'yes';
