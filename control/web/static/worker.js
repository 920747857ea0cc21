/* Shows a notice that a room is live, also while no page is open. */

/** A service worker's own global object, which the pages' types do not know. @type {any} */
const worker = self;


worker.addEventListener("push", (/** @type {any} */ event) => {
  /** @type {{ room: number, name: string, anchor: string, started: number }} */
  const told = event.data.json();
  const live = navigator.language.startsWith("zh") ? "正在直播" : "is live";
  const shown = worker.registration.showNotification(`${told.anchor} ${live}`, {
    body: told.name,
    data: `/room/${told.room}`,
    icon: "/static/icon.svg",
    tag: `${told.room}-${told.started}`, // one that comes twice is shown once
  });
  event.waitUntil(shown);
});

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(worker.clients.openWindow(event.notification.data));
});
