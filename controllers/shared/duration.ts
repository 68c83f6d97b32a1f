const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/

/** "1h30m" in seconds. Throws a TypeError for anything that is no duration. */
export function durationSeconds(text: string): number {
  const match = DURATION.exec(text)
  if (match === null || text === '') throw new TypeError(`${JSON.stringify(text)} is no duration such as 1h30m`)
  const [, hours = '0', minutes = '0', seconds = '0'] = match
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** As a person writes it: 5400 is "1h30m". */
export function toDuration(seconds: number): string {
  const parts = [[Math.floor(seconds / 3600), 'h'], [Math.floor(seconds / 60) % 60, 'm'], [seconds % 60, 's']] as const
  const text = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`).join('')
  return text === '' ? '0s' : text
}
