/** Addresses of the console's pages: `#/news/turns/turn-000003`. */
export const addressOf = (...parts) => `#/${parts.map(encodeURIComponent).join("/")}`;
