// A text that is typed reaches the server before the page that one opens next. A tap on a link takes the focus from the field
// and opens the page at once. Streamlit (1.67) then sends the page first and the field's text after it, and the page stays empty.
const FIELD_FIRST = 250 // milliseconds that the field's message has
const FIELDS = "input, textarea, [contenteditable=true]"
let left = -FIELD_FIRST // when a field was left last

function sendFieldsFirst() {
  if (document.documentElement.dataset.fieldsFirst) return
  document.documentElement.dataset.fieldsFirst = "true"
  document.addEventListener("focusout", ({ target }) => {
    if (target.matches?.(FIELDS)) left = performance.now()
  }, { capture: true })
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]")
    const wait = left + FIELD_FIRST - performance.now()
    if (!link || link.target === "_blank" || event.ctrlKey || event.metaKey || event.shiftKey || wait <= 0) return
    event.preventDefault()
    event.stopImmediatePropagation()
    setTimeout(() => link.click(), wait)
  }, { capture: true })
}
