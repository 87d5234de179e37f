%% Plays every scenario of a file against the real thing and writes what happened into another. What a scenario
%% is, a module knows: setup/0 makes ready, play/1 plays one.
-module(dmain).
-export([run/3]).

%% In a process of the lowest priority: it goes on when everybody else has come to rest.
run(Module, From, To) ->
    {_, Ref} = spawn_opt(fun() -> drive(Module, From, To) end, [monitor, {priority, low}]),
    receive {'DOWN', Ref, process, _, Reason} -> exit(Reason) end.

drive(Module, From, To) ->
    dclock:new(),
    dtrace:new(),
    Module:setup(),
    [load(App) || App <- [kernel, stdlib]],
    {ok, Terms} = file:read_file(From),
    % Into a file, and each as a binary: the standard output takes five times as long as the playing.
    Traces = [iolist_to_binary(["scenario\n", play(Module, Scenario)]) || Scenario <- binary_to_term(Terms)],
    ok = file:write_file(To, [Traces, "end\n"]),
    halt().

%% Now, all of it: who waits for the code server in the middle of a scenario seems to be at rest.
load(App) ->
    Beams = filelib:wildcard("*.beam", code:lib_dir(App, ebin)),
    code:ensure_modules_loaded([list_to_atom(filename:basename(Beam, ".beam")) || Beam <- Beams]).

play(Module, Scenario) ->
    dclock:reset(),
    dtrace:reset(),
    Module:play(Scenario),
    Trace = dtrace:dump(),
    [exit(Pid, kill) || Pid <- dtrace:everybody()],
    dclock:settle(),
    Trace.
