// Reports how wide its column is, in CSS pixels: a canvas needs a fixed width.
const LEAST_CHANGE = 8 // pixels; smaller changes are not reported

export default function ({ parentElement, setStateValue }) {
  const probe = parentElement.querySelector("div")
  let reported = 0
  const report = () => {
    const width = Math.floor(probe.getBoundingClientRect().width)
    if (width > 0 && Math.abs(width - reported) > LEAST_CHANGE) {
      reported = width
      setStateValue("width", width)
    }
  }
  const observer = new ResizeObserver(report)
  observer.observe(probe)
  report()
  return () => observer.disconnect()
}
