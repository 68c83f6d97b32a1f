import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { failureDigest } from './failure-digest.ts'

/** One command of a longer run, shown with its name and how long it took. */
export type Step = Readonly<{ name: string; command: readonly [string, ...string[]] }>

export type StepResult = Readonly<{ name: string; passed: boolean; seconds: number; failures: readonly string[] }>

/** Runs every step even after a failure, so that one run shows all that is broken. */
export async function runSteps(steps: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const step of steps) {
    say(`\n── ${step.name}: ${step.command.join(' ')}`)
    results.push(await ran(step, say))
  }
  return results
}

/** Runs steps one after the other while others run; their lines carry their names. */
export async function runBeside(steps: readonly Step[]): Promise<readonly StepResult[]> {
  const results: StepResult[] = []
  for (const step of steps) {
    say(`\n── ${step.name}, beside what else runs: ${step.command.join(' ')}`)
    results.push(await ran(step, (line) => say(`${step.name} | ${line}`)))
  }
  return results
}

/** Prints the closing table with what failed, and returns the exit code: 0 only if every step passed. */
export function summarise(title: string, results: readonly StepResult[]): number {
  say(`\n── ${title}`)
  for (const { name, passed, seconds } of results) say(`   ${passed ? 'passed' : 'FAILED'}  ${name.padEnd(14)} ${seconds.toFixed(1).padStart(7)} s`)
  const failed = results.filter((result) => !result.passed)
  for (const { name, failures } of failed) for (const line of failures) say(`   ${name} | ${line}`)
  say(failed.length === 0 ? `   all ${results.length} passed` : `   ${failed.length} of ${results.length} FAILED: ${failed.map((one) => one.name).join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

async function ran({ name, command }: Step, onLine: (line: string) => void): Promise<StepResult> {
  const started = performance.now()
  const digest = failureDigest()
  const code = await exitCode(command, (line) => {
    digest.read(line)
    onLine(line)
  })
  return { name, passed: code === 0, seconds: (performance.now() - started) / 1000, failures: digest.lines() }
}

function exitCode([program, ...args]: readonly [string, ...string[]], onLine: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
    child.on('error', (error) => {
      say(`${program}: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code, signal) => resolve(signal ? 1 : (code ?? 1)))
  })
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
