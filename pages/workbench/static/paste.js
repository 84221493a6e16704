// Takes a picture from the clipboard: by a button where the browser lets a page read it, and by Ctrl+V anywhere on the page.
export default function ({ parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button")
  const remark = parentElement.querySelector("span")
  const say = (text) => { remark.textContent = text }

  const give = (blob) => {
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

  const onPaste = (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"))
    if (file) {
      event.preventDefault()
      give(file)
    }
  }
  document.addEventListener("paste", onPaste)
  return () => document.removeEventListener("paste", onPaste)
}
