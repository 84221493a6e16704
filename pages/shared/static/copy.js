// Copies `data.text`. Streamlit's own copy button is part of code blocks, and does not copy edited text.
const ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/></svg>'
const SHOWN = 1500 // milliseconds that the answer stays on the button

export default function ({ data, parentElement }) {
  if (isOld({ data, parentElement })) return
  const button = parentElement.querySelector("button")
  const say = (text) => {
    button.innerHTML = ICON
    button.append(text)
  }
  say(data.label)
  button.onclick = async () => {
    say((await copied(data.text, parentElement)) ? "Copied" : "Blocked")
    setTimeout(() => say(data.label), SHOWN)
  }
}

// Whether a text could be copied. Over http from another machine, such as a phone, there is no navigator.clipboard.
async function copied(text, place) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement("textarea")
    field.value = text
    field.readOnly = true // no keyboard comes up on a phone
    field.style.cssText = "position:fixed;top:0;opacity:0"
    const focused = document.activeElement
    place.append(field)
    field.focus({ preventScroll: true })
    field.setSelectionRange(0, text.length)
    const done = document.execCommand("copy")
    field.remove()
    focused?.focus?.({ preventScroll: true })
    return done
  }
}
