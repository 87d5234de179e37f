%% What happens on the stage, in order: who came (written by the start), who went and why (seen by a monitor
%% whose priority is above all others, so that nobody acts before the end is written), and what the
%% supervisors report (a logger handler, which runs in the supervisor itself).
-module(dtrace).
-export([new/0, reset/0, step/1, write/2, dump/0, log/2]).
-export([born/4, latest/1, next/1, everybody/0, name/1, reason/1]).

new() ->
    [ets:new(Table, [named_table, public, ordered_set]) || Table <- [dtrace, dnames]],
    Self = self(),
    spawn_opt(fun() -> register(dtrace, self()), Self ! ready, collect(#{}) end, [{priority, max}]),
    receive ready -> ok end,
    logger:set_primary_config(level, all),
    logger:remove_handler(default),
    logger:add_handler(dtrace, ?MODULE, #{level => all}).

reset() ->
    dtrace ! reset,
    erlang:yield(),
    ets:delete_all_objects(dtrace),
    ets:delete_all_objects(dnames),
    ets:insert(dtrace, [{seq, 0}, {step, 0}]).

step(N) -> ets:insert(dtrace, {step, N}).

%% Through the process that sees the ends, so that those that were before stand before.
write(Group, Line) ->
    Ref = make_ref(),
    dtrace ! {write, Group, Line, self(), Ref},
    receive {Ref, written} -> ok end.

write(Group, Line, Kind) ->
    Seq = ets:update_counter(dtrace, seq, 1),
    Step = ets:lookup_element(dtrace, step, 2),
    ets:insert(dtrace, {Seq, Step, dclock:now_ms(), Group, Kind, Line}).

dump() ->
    [io_lib:format("~w|~w|~s|~w|~s~n", [Step, Time, Group, Kind, Line])
     || {_, Step, Time, Group, Kind, Line} <- ets:tab2list(dtrace)].

%% -- who is who: a1#2 is the second process that was started as a1 --

next(Id) -> ets:update_counter(dnames, {attempts, Id}, 1, {{attempts, Id}, 0}).

born(Pid, Id, Parent, Group) ->
    N = ets:update_counter(dnames, {count, Id}, 1, {{count, Id}, 0}),
    Name = lists:flatten(io_lib:format("~s#~w", [Id, N])),
    ets:insert(dnames, [{{latest, Id}, Pid}, {Pid, Name}]),
    write(Group, ["+", Name]),
    dtrace ! {watch, Pid, Name, Parent, Group, self()},
    receive {watched, Pid} -> Name end.

latest(Id) ->
    case ets:lookup(dnames, {latest, Id}) of
        [{_, Pid}] -> Pid;
        [] -> undefined
    end.

everybody() -> [Pid || {Pid, _} <- ets:tab2list(dnames), is_pid(Pid)].

name({restarting, Pid}) -> name(Pid);
name(Pid) when is_pid(Pid) -> ets:lookup_element(dnames, Pid, 2);
name(Other) -> atom_to_list(Other).

reason(Reason) -> io_lib:format("~w", [Reason]).

%% -- the end of everybody --

collect(Watched) ->
    receive
        reset ->
            collect(#{});
        {write, Group, Line, From, Ref} ->
            write(Group, Line, attached),
            From ! {Ref, written},
            collect(Watched);
        {watch, Pid, Name, Parent, Group, From} ->
            Ref = monitor(process, Pid),
            From ! {watched, Pid},
            collect(Watched#{Ref => {Name, Parent, Group}});
        {'DOWN', Ref, process, _, Reason} when is_map_key(Ref, Watched) ->
            {{Name, Parent, Group}, Rest} = maps:take(Ref, Watched),
            Kind = case is_process_alive(Parent) of true -> attached; false -> orphan end,
            write(Group, ["-", Name, " ", reason(Reason)], Kind),
            collect(Rest);
        _ ->
            collect(Watched)
    end.

%% -- reports --

log(#{msg := {report, #{label := {supervisor, Context}, report := Report}}}, _) ->
    {_, {Pid, _}} = lists:keyfind(supervisor, 1, Report),
    case ets:lookup(dnames, Pid) of
        [{_, Name}] -> write(Name, line(Context, Report));
        [] -> ok
    end;
log(_, _) ->
    ok.

line(progress, Report) ->
    {_, Child} = lists:keyfind(started, 1, Report),
    ["progress ", child(Child)];
line(Context, Report) ->
    {_, Child} = lists:keyfind(offender, 1, Report),
    {_, Reason} = lists:keyfind(reason, 1, Report),
    [atom_to_list(Context), " ", child(Child), " ", reason(Reason)].

child(Child) ->
    case lists:keyfind(nb_children, 1, Child) of
        {_, N} -> io_lib:format("~w children", [N]);
        false -> [id(proplists:get_value(id, Child)), name(proplists:get_value(pid, Child))]
    end.

%% The children of a simple_one_for_one share the id of their spec, ours have none.
id(dynamic) -> "";
id(Id) -> [atom_to_list(Id), "="].
