// Keeps what is typed in a form on the server, a second after the last keystroke and when the page is left.
// The form says where with data-keep-url. Without this script the Continue button keeps it.
const QUIET_MS = 1000;
const RETRY_MS = 10000;
const REFUSED = 409; // the answer says why, and sending the same again would not change it
const KEEPALIVE_BYTES = 60000; // browsers refuse more in a request that outlives its page

for (const form of document.querySelectorAll("form[data-keep-url]")) keep(form);

function keep(form) {
  const status = document.createElement("p");
  status.className = "govuk-hint kept";
  status.setAttribute("role", "status");
  form.append(status);

  let timer = 0;
  let typed = false;
  let sending = false;
  let leaving = false;

  function body() {
    const data = new FormData(form);
    for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
    return new URLSearchParams(data);
  }

  async function send({ last = false } = {}) {
    clearTimeout(timer);
    if (!typed || leaving || (sending && !last)) return;
    typed = false;
    sending = true;
    const content = body();
    try {
      const answer = await fetch(form.dataset.keepUrl, {
        method: "POST",
        body: content,
        credentials: "same-origin",
        redirect: "manual", // a redirect is the way to the sign-in page, and nothing was kept
        keepalive: last && content.toString().length < KEEPALIVE_BYTES,
      });
      if (!answer.ok && answer.status !== REFUSED) throw new Error(String(answer.status));
      if (typed) later(); // typed while this was on its way
      status.textContent =
        answer.status === REFUSED
          ? await answer.text()
          : `Saved ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
    } catch {
      typed = true;
      status.textContent = "Not saved, still on this page";
      clearTimeout(timer);
      timer = setTimeout(send, RETRY_MS);
    }
    sending = false;
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(send, QUIET_MS);
  }

  form.addEventListener("input", () => {
    typed = true;
    later();
  });
  form.addEventListener("submit", () => {
    leaving = true;
    clearTimeout(timer);
  });
  addEventListener("pageshow", () => {
    leaving = false; // back again from the next page
  });
  // Fires on leaving, closing and switching away alike, also where a telephone never says pagehide.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") send({ last: true });
  });
}
