import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const testFiles = ['**/*.test.ts', '**/*.browser.ts', '**/*.kit.ts', 'tests/**/*.ts', 'e2e/**/*.ts'];

/** Code that must give the same answer on every machine and in every run: it takes time, chance and the world as arguments. */
const pureFiles = ['src/core/**/*.ts', 'worker/engine/**/*.ts', 'worker/sim/**/*.ts'];

const ambient = {
  Date: 'Time comes through the Time port, or as an argument.',
  performance: 'Time comes through the Time port, or as an argument.',
  setTimeout: 'Timers come through the Time port.',
  setInterval: 'Timers come through the Time port.',
  crypto: 'Randomness and keys come through the Random and Vault ports.',
  indexedDB: 'Storage comes through the Store port.',
  localStorage: 'Storage comes through the Store port.',
  fetch: 'Networks come through the Link port.',
  navigator: 'The platform comes through ports.',
  process: 'The platform comes through ports.',
};

/** House style (default and star exports hide what a room gives away). */
const houseSyntax = [
  { selector: 'ExportAllDeclaration', message: 'Export one by one, by name.' },
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
];

/** What a page has and Node has not. */
const benchGlobals = [
  'window',
  'self',
  'document',
  'location',
  'navigator',
  'performance',
  'indexedDB',
  'crypto',
  'Worker',
  'BroadcastChannel',
  'TextEncoder',
  'TextDecoder',
  'CompressionStream',
  'DecompressionStream',
];

export default defineConfig(
  globalIgnores([
    '**/dist/',
    '**/.build/',
    '.cache/',
    'coverage/',
    'test-results/',
    'playwright-report/',
    '**/*.d.mts',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/strict-boolean-expressions': 'error',
      // Methods declared as properties may be passed on alone; the other spelling trips unbound-method.
      '@typescript-eslint/method-signature-style': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `return countFault(…)` ends a branch that has nothing to give, in functions with and without a promise.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // noUncheckedIndexedAccess makes every byte of a checked array possibly undefined; `!` says it was checked.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // A port answers with a promise whether or not this implementation of it has to wait.
      '@typescript-eslint/require-await': 'off',
      // Dictionaries keyed by validated text are plain objects here; Map where keys come from outside.
      '@typescript-eslint/no-dynamic-delete': 'off',
      // A type parameter in one place is how a caller names the type it expects of a decoder.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // `Record<never, never>` is the argument of a call that takes none.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // The compiler says the same, and knows the types of each runtime.
      'no-undef': 'off',
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...houseSyntax],
      'max-lines': ['error', { max: 500, skipBlankLines: false, skipComments: false }],
    },
  },
  {
    files: pureFiles,
    ignores: testFiles,
    rules: {
      'no-restricted-globals': [
        'error',
        { globals: Object.entries(ambient).map(([name, message]) => ({ name, message })), checkGlobalObject: true },
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness comes through the Random port, or as an argument.' },
      ],
    },
  },
  {
    files: testFiles,
    rules: {
      'max-lines': ['error', 800],
      // Test doubles and expect() matchers take methods apart on purpose.
      '@typescript-eslint/unbound-method': 'off',
      // Malformed input is the point of many tests.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      // Playwright's fixtures begin with an object pattern, also when a test needs none of them.
      'no-empty-pattern': 'off',
    },
  },
  {
    // These tools want a default export.
    files: ['*.config.{js,ts}', 'e2e/*.config.ts', 'e2e/support/global-*.ts', '.*.cjs'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'Buffer',
          'URL',
          'fetch',
          'AbortSignal',
          'setTimeout',
          'clearTimeout',
          'module',
          'require',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // Pages and workers of the bench suite.
    files: ['bench/pages/**/*.mjs'],
    languageOptions: { globals: Object.fromEntries(benchGlobals.map((name) => [name, 'readonly'])) },
  },
  { files: ['bench/**/*.mjs'], rules: { 'no-restricted-syntax': ['error', ...houseSyntax], eqeqeq: 'error' } },
);
