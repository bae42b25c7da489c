import tseslint from 'typescript-eslint';

const edges = [
  'src/clock.ts',
  'src/random.ts',
  'src/cli/**',
  'src/host/**',
  'src/http/**',
  'src/testing/**',
  'src/functions/**',
  'src/eventing/logs/**',
];

const noAmbientState = [
  { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'take a Clock' },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take a Clock' },
  { selector: "CallExpression[callee.object.name='performance'][callee.property.name='now']", message: 'take a Clock' },
  { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'take a Random' },
  { selector: 'CallExpression[callee.name=/^(setTimeout|setInterval)$/]', message: 'take a Clock and use setTimer' },
  { selector: "MemberExpression[object.name='process'][property.name='env']", message: 'take the environment as an option' },
  { selector: "MemberExpression[object.name='console']", message: 'take a Logger' },
];

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'test/vectors/**',
      'coverage/**',
      '**/*.cjs',
      '**/*.mjs',
      'examples/**/node_modules/**',
    ],
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'examples/**/*.ts', '*.config.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: { allowDefaultProject: [] } } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
    },
  },
  { files: ['src/**/*.ts'], ignores: edges, rules: { 'no-restricted-syntax': ['error', ...noAmbientState] } },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      'no-console': 'error',
    },
  },
);
