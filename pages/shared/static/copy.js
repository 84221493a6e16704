// Copies `data.text`. Streamlit's own copy button is part of code blocks, and does not copy edited text.
const ICON = '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15H4V4h11v1"/></svg>'
const SHOWN = 1500 // milliseconds that the answer stays on the button

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  const say = (text) => {
    button.innerHTML = ICON
    button.append(text)
  }
  say(data.label)
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.text)
      say("Copied")
    } catch {
      say("Press Ctrl+C")
    }
    setTimeout(() => say(data.label), SHOWN)
  }
}
