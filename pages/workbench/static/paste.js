// Takes a picture from the clipboard: by a button where the browser lets a page read it, and by Ctrl+V anywhere on the
// page. `data.button` is false where only Ctrl+V is wanted, `data.listen` where only the button is.
// A picture of more than `data.most` bytes is not sent.
export default function ({ data, parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button")
  const remark = parentElement.querySelector("span")
  const say = (text) => { remark.textContent = text }
  button.hidden = data?.button === false

  const give = (blob) => {
    if (blob.size > data.most) return setTriggerValue("pasted", { type: blob.type, large: true })
    const reader = new FileReader()
    reader.onload = () => {
      say("")
      setTriggerValue("pasted", { type: blob.type, data: reader.result.split(",")[1] })
    }
    reader.readAsDataURL(blob)
  }

  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((type) => type.startsWith("image/"))
        if (type) return give(await item.getType(type))
      }
      say("There is no picture in the clipboard.")
    } catch {
      say("Clipboard access is blocked. Press Ctrl+V (⌘V).")
    }
  }

  if (parentElement.onPaste) document.removeEventListener("paste", parentElement.onPaste)
  parentElement.onPaste = (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"))
    if (file && data?.listen !== false) {
      event.preventDefault()
      give(file)
    }
  }
  document.addEventListener("paste", parentElement.onPaste)
  return () => document.removeEventListener("paste", parentElement.onPaste)
}
