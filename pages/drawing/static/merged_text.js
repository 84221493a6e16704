// Puts what was typed into a text that has changed meanwhile. Python puts this file before reading_field.js.

// For each line of `first` the line of `read` that stands for it, or null. Equal lines stand for each other, in their order
// (the longest common subsequence). Between them, lines do that are about alike.
function matchedLines(first, read) {
  const common = first.map(() => new Array(read.length + 1).fill(0))
  common.push(new Array(read.length + 1).fill(0))
  for (let i = first.length - 1; i >= 0; i -= 1) {
    for (let j = read.length - 1; j >= 0; j -= 1) {
      common[i][j] = first[i] === read[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1])
    }
  }
  const matched = first.map(() => null)
  for (let i = 0, j = 0; i < first.length && j < read.length;) {
    if (first[i] === read[j]) matched[i++] = j++
    else if (common[i + 1][j] >= common[i][j + 1]) i += 1
    else j += 1
  }
  let from = 0
  for (let i = 0; i < first.length; i += 1) {
    if (matched[i] === null) {
      const after = matched.slice(i).findIndex((place) => place !== null)
      const waiting = after < 0 ? first.length - i : after // lines without a place, this one with them
      const end = after < 0 ? read.length : matched[i + after]
      const free = Array.from({ length: Math.max(0, end - from - waiting + 1) }, (_, number) => from + number)
      if (free.length) matched[i] = free.reduce((best, place) => (likeness(first[i], read[place]) > likeness(first[i], read[best]) ? place : best))
    }
    if (matched[i] !== null) from = matched[i] + 1
  }
  return matched
}

// Letters that two lines begin and end with alike.
function likeness(one, other) {
  const least = Math.min(one.length, other.length)
  let start = 0
  while (start < least && one[start] === other[start]) start += 1
  let end = 0
  while (end < least - start && one.at(-1 - end) === other.at(-1 - end)) end += 1
  return start + end
}

// The text as it was read, with the lines that were typed in place of those that they changed, and where `cursors` are in it.
function mergedText(first, typed, read, cursors) {
  const [before, after, now] = [first, typed, read].map((text) => text.split("\n"))
  const matched = matchedLines(before, now)
  const stands = (row) => {
    for (let back = row; back >= 0; back -= 1) {
      if (matched[back] !== null) return Math.min(now.length, matched[back] + row - back)
    }
    return Math.min(now.length, row)
  }
  const blocks = changedBlocks(before, after)
  const lines = [...now]
  let moved = 0 // lines that blocks above have added
  const rows = [] // for each typed row, its row in the new text
  let row = 0
  for (const { start, end, texts } of blocks) {
    const low = start < end ? stands(start) : start > 0 ? stands(start - 1) + 1 : stands(0)
    const high = start < end ? Math.max(low, stands(end - 1) + 1) : low
    for (; row < start; row += 1) rows.push(stands(row) + moved)
    texts.forEach((_, number) => rows.push(low + moved + number))
    lines.splice(low + moved, Math.min(high, now.length) - low, ...texts)
    moved += texts.length - (Math.min(high, now.length) - low)
    row = end
  }
  for (; row < before.length; row += 1) rows.push(stands(row) + moved)
  return [lines.join("\n"), ...cursors.map((cursor) => cursorIn(lines, after, rows, cursor))]
}

// What was changed: lines `start` to `end` (exclusive) became `texts`.
function changedBlocks(before, after) {
  if (before.length === after.length) {
    return before.flatMap((line, start) => (line === after[start] ? [] : [{ start, end: start + 1, texts: [after[start]] }]))
  }
  let start = 0
  const least = Math.min(before.length, after.length)
  while (start < least && before[start] === after[start]) start += 1
  let same = 0
  while (same < least - start && before.at(-1 - same) === after.at(-1 - same)) same += 1
  return [{ start, end: before.length - same, texts: after.slice(start, after.length - same) }]
}

function cursorIn(lines, typed, rows, cursor) {
  let row = 0
  for (; row < typed.length - 1 && cursor > typed[row].length; row += 1) cursor -= typed[row].length + 1
  const there = Math.min(rows[row] ?? lines.length - 1, lines.length - 1)
  const above = lines.slice(0, there).reduce((sum, line) => sum + line.length + 1, 0)
  return above + Math.min(cursor, lines[there].length)
}
