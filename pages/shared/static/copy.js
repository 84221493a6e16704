// Copies `data.text`. Streamlit's own copy button is part of code blocks, and does not copy edited text.
const SHOWN = 1500 // milliseconds that the answer stays on the button

export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  button.textContent = data.label
  button.onclick = async () => {
    try {
      await navigator.clipboard.writeText(data.text)
      button.textContent = "Copied"
    } catch {
      button.textContent = "Press Ctrl+C"
    }
    setTimeout(() => { button.textContent = data.label }, SHOWN)
  }
}
