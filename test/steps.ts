import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** One command of a longer run, shown with its name and how long it took. */
export type Step = Readonly<{ name: string; command: readonly [string, ...string[]] }>

export type StepResult = Readonly<{ name: string; passed: boolean; seconds: number }>

/** Runs every step even after a failure, so that one run shows all that is broken. */
export async function runSteps(steps: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const step of steps) {
    say(`\n── ${step.name}: ${step.command.join(' ')}`)
    const started = performance.now()
    const code = await run(step.command)
    results.push({ name: step.name, passed: code === 0, seconds: (performance.now() - started) / 1000 })
  }
  return results
}

/** Runs steps one after the other while others run; their lines carry their names. */
export async function runBeside(steps: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const { name, command } of steps) {
    say(`\n── ${name}, beside what else runs: ${command.join(' ')}`)
    const started = performance.now()
    const code = await run(command, (line) => say(`${name} | ${line}`))
    results.push({ name, passed: code === 0, seconds: (performance.now() - started) / 1000 })
  }
  return results
}

/** Prints the closing table and returns the exit code: 0 only if every step passed. */
export function summarise(title: string, results: readonly StepResult[]): number {
  say(`\n── ${title}`)
  for (const { name, passed, seconds } of results) say(`   ${passed ? 'passed' : 'FAILED'}  ${name.padEnd(14)} ${seconds.toFixed(1).padStart(7)} s`)
  const failed = results.filter((result) => !result.passed)
  say(failed.length === 0 ? `   all ${results.length} passed` : `   ${failed.length} of ${results.length} FAILED: ${failed.map((one) => one.name).join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

/** The exit code. With `onLine`, the output goes there line by line rather than straight to ours. */
function run([program, ...args]: readonly [string, ...string[]], onLine?: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const output = onLine === undefined ? 'inherit' : 'pipe'
    const child = spawn(program, args, { stdio: ['ignore', output, output] })
    for (const stream of [child.stdout, child.stderr]) if (stream !== null && onLine !== undefined) createInterface({ input: stream }).on('line', onLine)
    child.on('error', (error) => {
      say(`${program}: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)))
  })
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
