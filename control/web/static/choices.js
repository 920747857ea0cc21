/* The theme and the language that a visitor has chosen, kept in this browser. Blocks, in every page's head: the colours
   are right before anything is drawn. */

window.choices = {
  of(name) {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return ""; // the browser keeps nothing for this site
    }
  },
  keep(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // as above
    }
    this.show();
  },
  show() {
    const theme = this.of("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
  },
};

window.choices.show();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => window.choices.show());
window.addEventListener("storage", () => window.choices.show()); // chosen in another tab
