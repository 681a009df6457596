import js from '@eslint/js';
import importX, { createNodeResolver } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Retired by their authors, and the one file in which each may be imported. */
const retired = [
  { name: 'lucia', file: 'api/auth/lucia*.ts' },
  { name: 'fluent-ffmpeg', file: 'activities/media/ffmpeg/command.ts' },
  { name: '@google/generative-ai', file: 'activities/llm/gemini.ts' },
  { name: 'elevenlabs', file: 'activities/tts/elevenlabs.ts' },
];
/** GPL: it runs as a program of its own, so nothing else may link to it. */
const separate = { name: '@echogarden/espeak-ng-emscripten', file: 'activities/tts/espeak-program.ts' };
/** Its wire changes with every Gradio. */
const gradio = { name: '@gradio/client', file: 'activities/tts/f5-app.ts' };
const confined = [...retired, separate, gradio];

/** `no-restricted-imports` replaces itself where configs overlap, so each place gets the whole list. */
function restrictedImports({ except, patterns = [] } = {}) {
  const names = confined.filter(({ name }) => name !== except);
  return [
    'error',
    {
      patterns: [
        ...names.map(({ name, file }) => ({
          group: [name, `${name}/*`],
          message: `Only ${file} imports it.`,
        })),
        ...patterns,
      ],
    },
  ];
}

const nodeBuiltins = {
  group: ['node:*', 'fs', 'path', 'os', 'crypto', 'child_process', 'worker_threads', 'timers'],
  message: 'Workflows are deterministic: what needs Node is an activity.',
};

const unsummarized = {
  selector:
    'CallExpression[callee.object.name=/^(llm|tts|lipsync|lipsyncPool|media|orchestration|orchestrationWithFiles|delivery)$/]',
  message: 'Operators read a line beside each activity: call it by `summarized`.',
};

const looseLimit = {
  selector:
    "CallExpression[callee.object.name='AbortSignal'][callee.property.name='any'] MemberExpression[object.name='AbortSignal'][property.name='timeout']",
  message: 'A time limit that nothing else holds can be collected before it ends: use `withTimeLimit`.',
};

/** Imports run one way; see the layout in the README. The API looks into a file while its user waits. */
const zones = [
  ['workflows', ['api', 'workers', 'cli', 'db', 'storage'], 'Workflows decide; what acts is an activity.'],
  ['activities', ['api', 'workers', 'cli'], 'Activities know neither the API nor who runs them.'],
  [
    'api',
    ['activities', 'workers', 'cli'],
    'The API starts work; it does none.',
    ['activities/media/intake'],
  ],
  ['db', ['api', 'activities', 'workers', 'cli', 'storage'], 'The database layer stands alone.'],
  ['storage', ['api', 'activities', 'workers', 'cli', 'db', 'workflows'], 'Storage stands alone.'],
  ['workers', ['api', 'cli'], 'Workers run without the API.'],
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.callsheet/', 'coverage/', '**/*.as.ts', 'docs/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: { console: 'readonly', process: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    // Imports name the compiled file; a path that leads nowhere would be let through.
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensionAlias: { '.js': ['.ts', '.js'] } })],
    },
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['vitest.config.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // Numbers read well in text, and there is no number that does not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An arrow that only calls, as in `(error) => reject(error)`, is no mistake.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An unknown error is passed on as it came.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowRethrowing: true, allowThrowingUnknown: true, allowThrowingAny: false },
      ],
      // A default that is spelled out says what is meant.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      // Our parts are objects of functions that do not use `this`, and are taken apart freely.
      '@typescript-eslint/unbound-method': 'off',
      // Code points are what we mean to take strings apart into.
      '@typescript-eslint/no-misused-spread': 'off',
      // `[payload: void]` is how the SDK's definitions say that there is none.
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-restricted-imports': restrictedImports(),
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config.ts reads the environment.' },
      ],
      'no-restricted-syntax': ['error', looseLimit],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-unused-vars': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'import-x/no-restricted-paths': [
        'error',
        {
          basePath: import.meta.dirname,
          zones: zones.map(([target, from, message, except = []]) => ({
            target: `./${target}/**/*`,
            from: from.map((folder) => `./${folder}/**/*`),
            except: except.map((folder) => `**/${folder}/**`),
            message,
          })),
        },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': restrictedImports({ patterns: [nodeBuiltins] }),
      'no-restricted-syntax': ['error', unsummarized],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/activities/**'],
              allowTypeImports: true,
              message: 'Workflows see activities as types only.',
            },
          ],
        },
      ],
    },
  },
  // Runs beside the API and the sweeper, not in the sandbox.
  { files: ['workflows/start-job.ts'], rules: { 'no-restricted-imports': restrictedImports() } },
  {
    files: ['api/**/*.ts'],
    rules: {
      'no-restricted-imports': restrictedImports({
        patterns: [
          {
            regex: 'workflows/(?!(contract/[a-z-]+|start-job|step-plan)\\.js$)',
            message: 'The API knows the contract, the planned steps and how a job is started, no more.',
          },
        ],
      }),
    },
  },
  ...confined.map(({ name, file }) => ({
    files: [file],
    rules: { 'no-restricted-imports': restrictedImports({ except: name }) },
  })),
  {
    files: ['config.ts', 'test/**/*.ts', 'vitest.config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // The shape of an answer is what a test asserts, so it need not be declared first.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-console': 'off',
    },
  },
);
