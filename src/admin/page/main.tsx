/** Entry of the observer page: live view of the process tree in a browser, after OTP's appmon. */
import { render } from "preact";
import { startUpdates } from "./live/server-state.js";
import { takeToken } from "./net/token.js";
import { Page } from "./parts/page.js";

takeToken();
startUpdates();
render(<Page />, document.getElementById("page") as HTMLElement);
