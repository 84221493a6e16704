// Takes a photo with the phone's own camera app, or chooses a picture where there is none.
export default function ({ parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input")
  input.onchange = () => {
    const [file] = input.files
    if (!file) return
    const reader = new FileReader()
    reader.onload = () => {
      setTriggerValue("camera", { type: file.type, data: reader.result.split(",")[1] })
      input.value = ""
    }
    reader.readAsDataURL(file)
  }
}
