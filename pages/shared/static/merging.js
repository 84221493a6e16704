// Puts the work of two tabs together: what this tab stores, what it stored last, and what another tab stored meanwhile.
const MERGED = ["photo", "draw-history"] // slots with many things in them; a drawing is one thing
const LISTED = "corrections" // of a page: pairs of a line and its text. Its "lines" belong together.

const isList = Array.isArray
const isRecord = (value) => value !== null && typeof value === "object" && !isList(value)
const nameOf = (item) => JSON.stringify(isList(item) ? item[0] : item)

function mergedLists(ours, before, theirs) {
  const known = new Map(before.map((item) => [nameOf(item), JSON.stringify(item)]))
  const other = new Map(theirs.map((item) => [nameOf(item), item]))
  const mine = new Set(ours.map(nameOf))
  const kept = ours.map((item) => {
    const text = JSON.stringify(item)
    return other.has(nameOf(item)) && known.get(nameOf(item)) === text ? other.get(nameOf(item)) : item
  })
  return [...kept, ...theirs.filter((item) => !mine.has(nameOf(item)) && !known.has(nameOf(item)))]
}

// What one tab alone changed counts; where both did, what this one says.
function mergedValues(ours, before, theirs, name = "") {
  if (isList(ours) && isList(theirs) && (name === "" || name === LISTED)) return mergedLists(ours, isList(before) ? before : [], theirs)
  if (!isRecord(ours) || !isRecord(theirs)) return JSON.stringify(ours) === JSON.stringify(before) ? theirs : ours
  const old = isRecord(before) ? before : {}
  const found = {}
  for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const changed = JSON.stringify(theirs[key]) !== JSON.stringify(old[key])
    if (!(key in theirs)) {
      if (!(key in old) || JSON.stringify(ours[key]) !== JSON.stringify(old[key])) found[key] = ours[key]
    } else if (key in ours) found[key] = mergedValues(ours[key], old[key], theirs[key], key)
    else if (changed) found[key] = theirs[key]
  }
  return found
}

// Texts of JSON, null for nothing stored.
function mergedTexts(slot, ours, before, theirs) {
  if (!MERGED.includes(slot) || theirs === null || theirs === before) return ours
  try {
    const nothing = slot === "photo" ? {} : []
    const [own, old, other] = [ours, before, theirs].map((text) => (text === null || text === undefined ? nothing : JSON.parse(text)))
    const found = mergedValues(own, old, other)
    return Object.keys(found).length ? JSON.stringify(found) : null
  } catch {
    return ours // what is stored is another version's, or a person's own doing
  }
}
