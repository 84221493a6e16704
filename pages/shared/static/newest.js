// The newest data of a component counts. Until its module is loaded, Streamlit (1.67) imports it anew at each change of the
// data and calls it after each import, and browsers finish these imports in any order. Python puts this file before the
// component's own, and numbers the data.
const newest = new WeakMap() // component's element → the server's process, and the number of its newest data

// Whether the component has had newer data. A server that was started again counts anew.
function isOld({ data, parentElement }) {
  const [process, number] = data.order
  const [known, last] = newest.get(parentElement) ?? []
  if (known === process && last > number) return true
  newest.set(parentElement, data.order)
  return false
}

