// The text that was read. Each word opens a menu with its other readings and a field to correct it.
const ANNOUNCE_AFTER = 700 // milliseconds without a change after which the reading is announced
const announcing = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  if (isOld({ data, parentElement })) return
  const reading = parentElement.querySelector(".reading")
  const announced = parentElement.querySelector(".announced")
  const markup = JSON.stringify(data.lines)
  announce(announced, data.text)
  if (reading.dataset.markup === markup) return
  reading.dataset.markup = markup
  reading.dataset.testid = "reading"
  reading.setAttribute("aria-label", "Reading. Choose a word to correct it.")
  reading.replaceChildren(...data.lines.map((words, number) => line(words, number)))
  reading.onkeydown = (event) => { if (event.key === "Escape") close(true) }
  parentElement.addEventListener?.("focusout", (event) => {
    if (event.relatedTarget && !reading.contains(event.relatedTarget)) close()
  })

  function line(words, number) {
    const row = document.createElement("div")
    row.className = "line"
    words.forEach((word, place) => {
      const button = document.createElement("button")
      button.type = "button"
      button.className = "word"
      button.innerHTML = word.markup // made by the server, which escapes the text
      button.setAttribute("aria-haspopup", "true")
      button.setAttribute("aria-expanded", "false")
      button.onclick = () => open(button, word, number, place)
      row.append(button, " ")
    })
    return row
  }

  function close(focus) {
    const menu = reading.querySelector(".menu")
    if (!menu) return
    const button = reading.querySelector("[aria-expanded=true]")
    button?.setAttribute("aria-expanded", "false")
    menu.remove()
    if (focus) button?.focus()
  }

  function open(button, word, number, place) {
    const again = button.getAttribute("aria-expanded") === "true"
    close()
    if (again) return
    const menu = document.createElement("div")
    menu.className = "menu"
    const choose = (start, end, text, typed = false, add = false) => {
      close()
      setTriggerValue("chosen", { line: number, start, end, text, typed, add })
    }
    const about = document.createElement("small")
    about.textContent = word.about
    menu.append(about)
    for (const other of word.others) {
      const item = document.createElement("button")
      item.type = "button"
      item.textContent = other.text || "(nothing)"
      item.onclick = () => choose(other.start, other.end, other.text)
      menu.append(item)
    }
    const field = document.createElement("input")
    field.value = word.text
    field.setAttribute("aria-label", "Correct this word")
    field.onkeydown = (event) => {
      if (event.key === "Enter" && !event.isComposing) choose(place, place + 1, field.value, true)
    }
    const add = document.createElement("button")
    add.type = "button"
    add.textContent = "Use, and add to My words"
    add.onclick = () => choose(place, place + 1, field.value, true, true)
    menu.append(field, add)
    button.setAttribute("aria-expanded", "true")
    reading.append(menu)
    const at = button.getBoundingClientRect(), around = reading.getBoundingClientRect()
    menu.style.top = `${at.bottom - around.top + 4}px`
    menu.style.left = `${Math.max(0, Math.min(at.left - around.left, around.width - menu.offsetWidth))}px`
    menu.scrollIntoView({ block: "nearest" })
    field.focus({ preventScroll: true })
    field.select()
  }
}

function announce(place, text) {
  if (place.dataset.text === text) return
  place.dataset.text = text
  clearTimeout(announcing.get(place))
  announcing.set(place, setTimeout(() => { place.textContent = text }, ANNOUNCE_AFTER))
}
