// Small helps for pages that also work without scripts.
(() => {
  "use strict";

  document.documentElement.classList.add("js");

  const focusProblems = () => {
    const summary = document.querySelector("[data-problems]");
    if (summary) summary.focus();
  };
  document.addEventListener("DOMContentLoaded", focusProblems);

  // A select that only filters or chooses submits by itself; its button stays for others.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-submit-on-change]");
    if (form) form.requestSubmit();
  });

  // What is folded on the screen is unfolded on paper, and folded again after.
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    unfolded.forEach((each) => { each.open = true; });
  });
  window.addEventListener("afterprint", () => {
    unfolded.forEach((each) => { each.open = false; });
  });
})();
