// Takes a photo with the phone's own camera app, or chooses a picture where there is none.
// One of more than `data.most` bytes is not sent.
export default function ({ data, parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input")
  input.onchange = () => {
    const [file] = input.files
    if (!file) return
    if (file.size > data.most) {
      input.value = ""
      return setTriggerValue("camera", { type: file.type, large: true })
    }
    const reader = new FileReader()
    reader.onload = () => {
      setTriggerValue("camera", { type: file.type, data: reader.result.split(",")[1] })
      input.value = ""
    }
    reader.readAsDataURL(file)
  }
}
