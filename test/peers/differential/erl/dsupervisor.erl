%% Plays a scenario of supervisors: what its steps do, and what is answered.
-module(dsupervisor).
-export([setup/0, play/1]).

%% shutdown/2, add_restart/1 and the two of dynamic children: if OTP moves them, this must be looked at.
setup() -> 5 = dpatch:load(supervisor).

play(#{tree := Tree, steps := Steps}) ->
    put(calls, 0),
    dstage:start_root(Tree),
    dclock:advance(2000),
    lists:foldl(fun(Step, N) -> dtrace:step(N), step(Step), N + 1 end, 1, Steps),
    dclock:advance(2000).

step(Ops) ->
    dclock:settle(),
    [op(Op) || Op <- Ops],
    dclock:settle().

op(#{op := advance, ms := Ms}) -> dclock:advance(Ms);
op(#{op := quit, id := Id, reason := Reason}) -> tell(Id, fun(Pid) -> Pid ! {quit, Reason} end);
op(#{op := signal, id := Id, reason := Reason}) -> tell(Id, fun(Pid) -> exit(Pid, Reason) end);
op(#{op := Op, sup := Sup} = Args) ->
    N = put(calls, get(calls) + 1),
    tell(Sup, fun(Pid) -> spawn_opt(fun() -> ask(N, Op, Pid, Args) end, [{priority, max}]) end).

tell(Id, Do) ->
    case dtrace:latest(Id) of
        undefined -> ok;
        Pid -> Do(Pid)
    end.

ask(N, Op, Pid, Args) ->
    Answer =
        try
            answer(Op, call(Op, Pid, Args))
        catch
            exit:{Reason, {gen_server, call, _}} -> ["exit ", dtrace:reason(Reason)]
        end,
    dtrace:write("~calls", [integer_to_list(100 + N), " ", atom_to_list(Op), " ", Answer]).

call(which, Sup, _) -> supervisor:which_children(Sup);
call(count, Sup, _) -> supervisor:count_children(Sup);
call(terminate, Sup, #{id := Id}) -> supervisor:terminate_child(Sup, Id);
call(finish, Sup, #{id := Id}) -> finish(Sup, dtrace:latest(Id));
call(restart, Sup, #{id := Id}) -> supervisor:restart_child(Sup, Id);
call(delete, Sup, #{id := Id}) -> supervisor:delete_child(Sup, Id);
call(spec, Sup, #{id := Id}) -> supervisor:get_childspec(Sup, Id);
call(add, Sup, #{child := Node}) -> supervisor:start_child(Sup, dstage:spec(Node));
call(spawn, Sup, #{child := Node}) -> supervisor:start_child(Sup, [Node]).

finish(_, undefined) -> nobody;
finish(Sup, Pid) -> supervisor:terminate_child(Sup, Pid).

answer(count, Counts) -> [[integer_to_list(N), " "] || {_, N} <- Counts];
answer(which, Children) -> lists:join(" ", [entry(Child) || Child <- Children]);
answer(_, Word) when is_atom(Word) -> atom_to_list(Word);
answer(spec, {ok, #{restart := R, shutdown := S, significant := G, type := T}}) ->
    io_lib:format("~w ~w ~w ~w", [R, S, G, T]);
answer(_, {ok, Child}) -> ["ok ", dtrace:name(Child)];
answer(_, {error, {already_started, Pid}}) -> ["error already_started ", dtrace:name(Pid)];
answer(_, {error, {Reason, Child}}) when element(1, Child) =:= child -> ["error ", dtrace:reason(Reason)];
answer(_, {error, Reason}) -> ["error ", dtrace:reason(Reason)].

entry({Id, Pid, Type, _}) -> io_lib:format("~w=~s/~w", [Id, dtrace:name(Pid), Type]).
