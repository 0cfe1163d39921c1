// <copy-text data-done="Copied">: shows its button and copies the value beside it.
class CopyText extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    if (!button || !navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", () => this.#copy(button));
  }

  async #copy(button) {
    const word = button.querySelector("[data-word]");
    await navigator.clipboard.writeText(this.querySelector("[data-copy]").textContent.trim());
    const before = word.textContent;
    word.textContent = this.dataset.done;
    document.getElementById("live").textContent = this.dataset.done;
    setTimeout(() => { word.textContent = before; }, 2500);
  }
}

customElements.define("copy-text", CopyText);
