/** The files of the observer page, served by the built program. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "../../admin/support.js";
import { endAll, serveProgram } from "../../support/program.js";

let port = 0;
beforeAll(async () => {
  ({ adminPort: port } = await serveProgram(["--workers=1"]));
});
afterAll(endAll);

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

test("a browser gets the page, and every other client the list of routes", async () => {
  const page = await ask({ port }, { path: "/", headers: BROWSER });
  expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(page.text).toMatch(/^<!doctype html>/);
  for (const headers of [{}, { accept: "*/*" }, { accept: "application/json" }]) {
    const list = await ask({ port }, { path: "/", headers });
    expect(list.headers["content-type"]).toMatch(/^text\/plain/);
    expect(list.text).toContain("/metrics");
    expect(list.headers.vary).toBe("accept");
  }
});

test("the page names nothing but its own two files, and may run and ask for nothing from elsewhere", async () => {
  const page = await ask({ port }, { path: "/", headers: BROWSER });
  const named = [...page.text.matchAll(/(?:src|href)="(?!data:)([^"]*)"/g)].map(([, name]) => name);
  expect(named).toEqual(["page.css", "page.js"]);
  expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
  expect(page.headers["content-security-policy"]).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:/,
  );
  for (const [path, type] of [
    ["/page.js", "text/javascript; charset=utf-8"],
    ["/page.css", "text/css; charset=utf-8"],
  ] as const) {
    const file = await ask({ port }, { path });
    expect([file.status, file.headers["content-type"]]).toEqual([200, type]);
    expect(file.text.length).toBeGreaterThan(1_000);
    expect(file.text.length).toBeLessThan(125_000);
  }
});

test("a file that the browser has is not sent again", async () => {
  const first = await ask({ port }, { path: "/page.js" });
  expect(first.headers["cache-control"]).toBe("no-cache");
  const headers = { "if-none-match": String(first.headers.etag) };
  const again = await ask({ port }, { path: "/page.js", headers });
  expect([again.status, again.text]).toEqual([304, ""]);
});
