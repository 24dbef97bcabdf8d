/** One way through the house: evidence → formats → store → investigations → findings → report. */
const order = [
  'knowledge',
  'errors',
  'findings',
  'evidence',
  'formats',
  'store',
  'investigations',
  'report',
  'cli',
];
// What each room may import, besides itself and packages. Types of findings are for everyone after evidence.
const may = {
  knowledge: [],
  errors: [],
  findings: [],
  evidence: ['errors', 'knowledge'],
  formats: ['errors', 'knowledge', 'evidence'],
  store: ['errors', 'knowledge', 'evidence', 'formats', 'findings'],
  investigations: ['errors', 'knowledge', 'store', 'findings'],
  report: ['errors', 'knowledge', 'findings'],
  cli: order,
};
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphan-import', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(may).map(([room, allowed]) => ({
      name: `${room}-imports-only-what-comes-before`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
      to: { path: '^src/', pathNot: `^src/(${[room, ...allowed].join('|')})/` },
    })),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
