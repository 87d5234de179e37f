/** gen_tcp of a real Erlang node as a client. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { find, testWith } from "../support/peers.js";
import { endAll, serveProgram } from "../support/program.js";

const erl = testWith("erl", "apt-get install erlang-base");
let port: number;
beforeAll(async () => {
  ({ port } = await serveProgram());
});
afterAll(endAll);

async function evaluate(code: string): Promise<string> {
  const args = [
    "-noshell",
    "-eval",
    `try ${code} catch Class:Reason:Stack -> io:format("~p~n", [{Class,Reason,Stack}]) end, halt().`,
  ];
  const { stdout } = await promisify(execFile)(find("erl") as string, args, {
    env: { ...process.env, ERL_CRASH_DUMP: "/dev/null" },
  });
  return stdout.trim();
}

erl("gen_tcp connects with {packet,2}, sends, and receives the echo", async () => {
  const said = await evaluate(`
    {ok, S} = gen_tcp:connect({127,0,0,1}, ${port}, [binary, {packet, 2}]),
    ok = gen_tcp:send(S, <<"hello">>),
    receive {tcp, S, Data} -> io:format("~s", [Data]) after 60000 -> io:format("nothing") end,
    gen_tcp:close(S)`);
  expect(said).toBe("hello");
});

erl("frames of every size up to 65,535 bytes come back to gen_tcp as they were", async () => {
  const said = await evaluate(
    `
    {ok, S} = gen_tcp:connect({127,0,0,1}, ${port}, [binary, {packet, 2}, {active, false}]),
    Sizes = [0, 1, 2, 255, 256, 1459, 1460, 1461, 4096, 16383, 16384, 32768, 65534, 65535],
    Wrong = [N || N <- Sizes, begin
      Data = crypto_free(N),
      ok = gen_tcp:send(S, Data),
      {ok, Back} = gen_tcp:recv(S, 0, 30000),
      Back =/= Data
    end],
    io:format("~p", [Wrong])`.replace("crypto_free(N)", "<< <<(I rem 251)>> || I <- lists:seq(1, N) >>"),
  );
  expect(said).toBe("[]");
});

erl("a hundred Erlang processes talk at once, and each gets its own answers", async () => {
  const said = await evaluate(`
    Self = self(),
    Pids = [spawn_link(fun() ->
      {ok, S} = gen_tcp:connect({127,0,0,1}, ${port}, [binary, {packet, 2}, {active, false}]),
      Good = lists:all(fun(I) ->
        Text = list_to_binary(io_lib:format("~p ~p", [N, I])),
        ok = gen_tcp:send(S, Text),
        {ok, Text} =:= gen_tcp:recv(S, 0, 30000)
      end, lists:seq(1, 50)),
      Self ! {self(), Good}
    end) || N <- lists:seq(1, 100)],
    Results = [receive {P, G} -> G end || P <- Pids],
    io:format("~p of ~p", [length([G || G <- Results, G]), length(Pids)])`);
  expect(said).toBe("100 of 100");
});
