/** The arrows of ARCHITECTURE.md, each as a rule with a name. tests/tooling/arrows.test.ts shows that they bite. */

/** The rooms of the core, lowest rank first: an import may only go to a lower rank. */
const coreRooms = [
  'base',
  'codec',
  'crypto',
  'clock',
  'identity',
  'op',
  'entry',
  'pack',
  'schema',
  'record',
  'access',
  'epoch',
  'admission',
  'reconcile',
  'invite',
  'flow',
  'wire',
  'session',
  'election',
];

/** Tests may reach for what the code they prove may not. */
const tests = '\\.(test|browser|kit)\\.ts$|^tests/';

const rankRules = coreRooms.map((room, rank) => ({
  name: `core-rank-${room}`,
  comment: `${room} has rank ${rank}: it may import ${coreRooms.slice(0, rank).join(', ') || 'no other room'}.`,
  severity: 'error',
  from: { path: `^src/core/${room}/`, pathNot: tests },
  to: { path: '^src/core/', pathNot: `^src/core/(${[...coreRooms.slice(0, rank), room].join('|')})/` },
}));

/** A folder that may import only these folders of ours (packages have rules of their own). */
const mayImportOnly = (name, folder, allowed) => ({
  name,
  comment: `${folder} imports only ${allowed.join(', ')}.`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: tests },
  to: { path: '^(src|worker)/', pathNot: `^(${[folder, ...allowed].join('|')})/` },
});

/** A package that may be imported only from here; `from` is a pattern of paths. */
const packageOnlyIn = (name, packagePattern, from) => ({
  name,
  comment: `${packagePattern} is imported only in ${from}.`,
  severity: 'error',
  from: { path: '^(src|worker)/', pathNot: `${from}|${tests}` },
  to: { path: `(^|/)node_modules/${packagePattern}(/|$)` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'A cycle has no first file to understand.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that resolves to nothing is judged by no other rule.',
      severity: 'error',
      // Their own build is what they import; packages of bench/ are installed on its first use.
      from: { pathNot: '^(demo|e2e|tests|bench)/' },
      to: { couldNotResolve: true },
    },
    ...rankRules,
    {
      name: 'core-imports-only-core',
      comment: 'The core imports itself, @noble, and in core/codec @msgpack; nothing of Node.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: tests },
      to: { pathNot: '^src/core/|(^|/)node_modules/@noble/|(^|/)node_modules/@msgpack/' },
    },
    packageOnlyIn('msgpack-only-in-codec', '@msgpack', '^src/core/codec/'),
    packageOnlyIn('idb-only-in-storage', 'idb', '^worker/storage/'),
    packageOnlyIn('livekit-only-in-its-transport', 'livekit-client', '^src/transport/livekit/'),
    {
      name: 'no-node-in-the-library',
      comment: 'The library runs in browsers.',
      severity: 'error',
      from: { path: '^(src|worker)/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'one-door',
      comment: 'Outside a room only its index.ts is imported.',
      severity: 'error',
      from: { path: '^(src/core/[^/]+|src/[^/]+|worker/[^/]+)/', pathNot: tests },
      to: {
        path: '^(src/core/[^/]+|src/(ports|bridge|view|client)|worker/[^/]+)/',
        pathNot: '/index\\.ts$|^$1/',
      },
    },
    {
      name: 'one-door-from-the-top',
      comment: 'The files beside the rooms come in by the door too.',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: tests },
      to: { path: '^(src|worker)/.+/', pathNot: '/index\\.ts$|^src/transport/[^/]+\\.ts$|^worker/hosts/[^/]+\\.ts$' },
    },
    mayImportOnly('ports-import-only-core', 'src/ports', ['src/core']),
    mayImportOnly('bridge-imports-only-core-and-ports', 'src/bridge', ['src/core', 'src/ports']),
    mayImportOnly('view-imports-no-engine', 'src/view', ['src/core', 'src/ports', 'src/bridge']),
    {
      name: 'transport-imports-only-core-and-ports',
      comment: 'A transport carries bytes; it knows neither engine nor client.',
      severity: 'error',
      from: { path: '^src/transport/', pathNot: tests },
      to: { path: '^(src|worker)/', pathNot: '^src/(transport|core|ports)/' },
    },
    {
      name: 'client-imports-no-engine',
      comment: 'The page reaches the engine through the bridge, on another thread.',
      severity: 'error',
      from: { path: '^src/(client|view|index\\.ts|livekit\\.ts|spawn\\.ts)' },
      to: { path: '^worker/(engine|storage|tabs|vault|hosts|sim)/' },
    },
    {
      name: 'src-imports-no-worker',
      comment: 'src/ is the library; only the worker entry composes an engine.',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/worker\\.ts$|${tests}` },
      to: { path: '^worker/' },
    },
    {
      name: 'nobody-imports-the-worker-entry',
      comment: 'The page names its URL, it does not import it.',
      severity: 'error',
      from: { path: '^(src|worker)/', pathNot: tests },
      to: { path: '^src/worker\\.ts$' },
    },
    mayImportOnly('engine-imports-only-core-and-ports', 'worker/engine', ['src/core', 'src/ports', 'src/bridge']),
    mayImportOnly('storage-imports-only-core-and-ports', 'worker/storage', ['src/core', 'src/ports']),
    mayImportOnly('vault-imports-only-core-and-ports', 'worker/vault', ['src/core', 'src/ports']),
    {
      name: 'sim-imports-no-browser-host',
      comment: 'The simulator is a host of its own.',
      severity: 'error',
      from: { path: '^worker/sim/', pathNot: tests },
      to: { path: '^(src/(client|view|transport/livekit)|worker/(hosts|tabs))/' },
    },
    {
      name: 'demo-and-e2e-by-package-name',
      comment:
        'They use the package as its users do; but e2e also runs the contract suites, which are tests themselves.',
      severity: 'error',
      from: { path: '^(demo|e2e)/' },
      to: { path: '^(src|worker|dist|\\.build)/', pathNot: '^(src|worker)/.+\\.kit\\.ts$' },
    },
    {
      name: 'bench-by-package-name',
      comment: 'What is measured is what users get: the public API and the shipped worker.',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(src|worker|demo|tests|e2e|dist|\\.build)/' },
    },
    {
      name: 'nobody-imports-bench',
      comment: 'It stands on packages that only it installs.',
      severity: 'error',
      from: { pathNot: '^bench/' },
      to: { path: '^bench/' },
    },
    {
      name: 'no-code-imports-tests',
      comment: 'Test helpers are not shipped.',
      severity: 'error',
      from: { path: '^(src|worker|demo)/', pathNot: tests },
      to: { path: '\\.(test|browser|kit)\\.ts$|^(tests|e2e)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Anchored: packages keep their code in a dist folder too, and must stay visible.
    exclude: { path: '^(dist|demo/dist|\\.build|\\.cache|bench/\\.build)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Type-only imports are arrows as well.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
