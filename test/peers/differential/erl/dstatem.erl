%% Plays a scenario of a state machine: what is sent to it, and what is answered.
-module(dstatem).
-export([setup/0, play/1]).

%% start_timer/4 and three times cancel_timer/1: if OTP moves them, this must be looked at.
setup() ->
    4 = dpatch:load(gen_statem),
    Source = proplists:get_value(source, dcallback:module_info(compile)),
    [begin
         {ok, Name, Binary} = compile:file(Source, [binary, report, {d, 'NAME', Name}]),
         {module, Name} = code:load_binary(Name, Source, Binary)
     end || Name <- [dcallback1, dcallback2, dcallback3]].

play(#{steps := Steps} = Scenario) ->
    put(calls, 0),
    put(settled, fun answers/0),
    spawn_opt(fun() -> parent(Scenario) end, [{priority, max}]),
    dclock:settle(),
    lists:foldl(fun(Step, N) -> dtrace:step(N), step(Step), N + 1 end, 1, Steps).

%% It does nothing but trap exits, and end when it is told to.
parent(Scenario) ->
    process_flag(trap_exit, true),
    ets:insert(dnames, [{{latest, parent}, self()}, {self(), "parent"}]),
    {ok, _} = gen_statem:start_link(dcallback1, {Scenario, self()}, []),
    loop().

loop() ->
    receive
        {quit, Reason} -> exit(Reason);
        _ -> loop()
    end.

step(Ops) ->
    dclock:settle(),
    [op(Op, dtrace:latest(m)) || Op <- Ops],
    dclock:settle().

op(#{op := advance, ms := Ms}, _) -> dclock:advance(Ms);
op(#{op := cast, word := Word, n := N}, Pid) -> gen_statem:cast(Pid, {Word, N});
op(#{op := info, word := Word, n := N}, Pid) -> Pid ! {Word, N};
op(#{op := signal, reason := Reason}, Pid) -> exit(Pid, Reason);
op(#{op := parent, reason := Reason}, _) -> dtrace:latest(parent) ! {quit, Reason};
op(#{op := stop, reason := Reason}, Pid) -> catch proc_lib:stop(Pid, Reason, infinity);
op(#{op := get}, Pid) -> look("get", fun() -> sys:get_state(Pid) end);
op(#{op := replace, state := State}, Pid) ->
    look("replace", fun() -> sys:replace_state(Pid, fun({_, Data}) -> {State, Data} end) end);
op(#{op := suspend}, Pid) -> look("suspend", fun() -> sys:suspend(Pid) end);
op(#{op := resume}, Pid) -> look("resume", fun() -> sys:resume(Pid) end);
op(#{op := call, word := Word}, Pid) ->
    N = put(calls, get(calls) + 1),
    Ref = monitor(process, Pid),
    put(Ref, N),
    Pid ! {'$gen_call', {self(), Ref}, {Word, N}}.

%% Nobody is there any more, which is no news.
look(What, Ask) ->
    try Ask() of
        {State, #{n := N}} -> dtrace:write("~sys", io_lib:format("~s ~w ~w", [What, State, N]));
        Word -> dtrace:write("~sys", io_lib:format("~s ~w", [What, Word]))
    catch
        exit:_ -> ok
    end.

%% Everybody who asks is this process, so that the requests stand in the mailbox in their order. It looks at
%% what has come when all are at rest, before the clock goes on.
answers() ->
    receive
        {'DOWN', Ref, process, _, Reason} ->
            dtrace:write("~ends", io_lib:format("~w exit ~w", [erase(Ref), Reason])),
            answers();
        {Ref, Value} when is_reference(Ref) ->
            demonitor(Ref, [flush]),
            case erase(Ref) of
                undefined -> ok;
                N -> dtrace:write("~calls", io_lib:format("~w answered ~w", [N, Value]))
            end,
            answers()
    after 0 -> ok
    end.
