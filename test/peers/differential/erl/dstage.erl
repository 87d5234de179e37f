%% The trees of the scenarios: supervisors and workers as their descriptions say.
-module(dstage).
-export([start_root/1, spec/1, start/1, init/1]).

%% The root hangs below a process that does nothing but trap exits, and end when it is told to.
start_root(Tree) ->
    spawn_opt(fun() -> parent(Tree) end, [{priority, max}]).

parent(Tree) ->
    process_flag(trap_exit, true),
    ets:insert(dnames, [{{latest, top}, self()}, {self(), "top"}]),
    case start(Tree) of
        {ok, _} -> dtrace:write("top", "started");
        {error, Reason} -> dtrace:write("top", ["failed ", dtrace:reason(Reason)])
    end,
    loop(#{lingers => infinity}).

spec(#{id := Id, kind := Kind, restart := Restart, shutdown := Shutdown, significant := Significant} = Node) ->
    Type = case Kind of worker -> worker; _ -> supervisor end,
    #{id => Id, start => {?MODULE, start, [Node]}, restart => Restart, shutdown => Shutdown,
      significant => Significant, type => Type}.

start(#{kind := worker, slow := Slow} = Node) ->
    N = dtrace:next(maps:get(id, Node)),
    wait(dclock:start(Slow), Slow),
    worker(outcome(N, maps:get(starts, Node)), Node);
start(Node) ->
    supervisor:start_link(?MODULE, {Node, self()}).

wait(_, 0) -> ok;
wait(Timer, _) -> receive {dclock, Timer} -> ok end.

outcome(N, Starts) when N =< length(Starts) -> lists:nth(N, Starts);
outcome(_, _) -> ok.

worker(ignore, _) -> ignore;
worker(boom, _) -> {error, boom};
worker(ok, #{id := Id, plan := Plan}) ->
    Pid = spawn_opt(
        fun() ->
            process_flag(trap_exit, Plan =/= undefined),
            loop(Plan)
        end,
        [link, {priority, max}]),
    dtrace:born(Pid, Id, self(), dtrace:name(self())),
    {ok, Pid}.

loop(Plan) ->
    receive
        {quit, Reason} -> exit(Reason);
        {'EXIT', _, Reason} -> leave(Plan, Reason), loop(Plan);
        _ -> loop(Plan)
    end.

leave(#{lingers := infinity}, _) -> ok;
leave(#{lingers := 0} = Plan, Reason) -> exit(maps:get(leaves, Plan, Reason));
leave(#{lingers := Ms} = Plan, Reason) ->
    dclock:send_after(Ms, self(), {quit, maps:get(leaves, Plan, Reason)}).

init({#{id := Id, kind := Kind} = Node, Parent}) ->
    process_flag(priority, high),
    dtrace:born(self(), Id, Parent, dtrace:name(Parent)),
    {ok, {flags(Kind, Node), children(Kind, Node)}}.

flags(Kind, #{intensity := Intensity, period := Period, auto := Auto} = Node) ->
    Strategy = case Kind of dynamic -> simple_one_for_one; static -> maps:get(strategy, Node) end,
    #{strategy => Strategy, intensity => Intensity, period => Period, auto_shutdown => Auto}.

children(static, #{children := Children}) ->
    [spec(Child) || Child <- Children];
children(dynamic, #{of_restart := Restart, of_shutdown := Shutdown, of_significant := Significant}) ->
    [#{id => dynamic, start => {?MODULE, start, []}, restart => Restart, shutdown => Shutdown,
       significant => Significant}].
