import { defineConfig, type Plugin } from 'rolldown'

// One character beyond ASCII, and Node keeps all of the source at two bytes each. Only a raw template tells the difference.
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) if (file.type === 'chunk') file.code = file.code.replaceAll(/[^\0-\x7f]/g, escaped)
  },
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

// How the operator's image gets its one file, which takes less memory and starts sooner than 400 modules do.
export default defineConfig({
  input: { operator: 'controllers/main.ts' },
  platform: 'node',
  external: ['@kubernetes/client-node'], // 65 MB that read kubeconfigs, which only a process outside a cluster needs
  plugins: [ascii],
  output: {
    dir: 'bundle',
    entryFileNames: '[name].mjs',
    comments: { legal: true, annotation: false, jsdoc: false },
  },
})
