/** The observer page: what appmon was, in a browser. */
import { render } from "preact";
import { startFeed } from "./live/server-state.js";
import { takeToken } from "./net/token.js";
import { Page } from "./parts/page.js";

takeToken();
startFeed();
render(<Page />, document.getElementById("page") as HTMLElement);
