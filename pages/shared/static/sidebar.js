// Folds the sidebar away on a phone that lies on its side, where it would take a third of the canvas or of the picture.
// That is done once: then the sidebar is the person's.
const LYING = "(max-height: 500px) and (orientation: landscape)"
const LOOK_AGAIN = 500 // milliseconds until the sidebar is looked for again
let folded = false
let looking = null

function foldSidebar() {
  const button = document.querySelector("[data-testid=stSidebarCollapseButton] button")
  if (button && !folded && matchMedia(LYING).matches) {
    folded = true
    button.click()
  }
  if (folded) clearInterval(looking)
  else looking ??= setInterval(foldSidebar, LOOK_AGAIN)
}

// On a narrow screen the sidebar covers the page that was chosen in it.
const NARROW = "(max-width: 768px)"
const SHOWN = 300 // milliseconds until the chosen page is there

function foldAfterChoice(event) {
  if (!event.target.closest?.("[data-testid=stSidebar] [data-testid=stSidebarNavLink]") || !matchMedia(NARROW).matches) return
  setTimeout(() => {
    const open = !document.querySelector("[data-testid=stExpandSidebarButton]")
    if (open) document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click()
  }, SHOWN)
}

if (!document.documentElement.dataset.foldsSidebar) {
  document.documentElement.dataset.foldsSidebar = "yes" // a page that is shown again loads this again
  document.addEventListener("click", foldAfterChoice)
}
