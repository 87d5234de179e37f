%% What a machine of a scenario does: it writes down the event, and looks up what to answer.
-module(dmachine).
-export([init/1, mode/1, on/5, terminate/4]).

%% Callbacks after which a machine only keeps its state: some would go on for ever.
-define(FUEL, 60).

init({#{initial := State, traps := Traps, actions := Actions} = Scenario, Parent}) ->
    process_flag(priority, high),
    process_flag(trap_exit, Traps),
    put(scenario, Scenario),
    put(callbacks, 0),
    dtrace:born(self(), m, Parent, "m"),
    Data = #{n => 0, kept => [], depth => 0},
    {List, NewData} = actions(Actions, none, Data),
    {ok, State, NewData, List}.

mode(Name) ->
    case module(Name) of
        #{mode := Mode, enter := true} -> [Mode, state_enter];
        #{mode := Mode} -> Mode
    end.

module(Name) -> lists:nth(number(Name), maps:get(modules, get(scenario))).

number(dcallback1) -> 1;
number(dcallback2) -> 2;
number(dcallback3) -> 3.

terminate(Name, Reason, State, #{n := N}) ->
    dtrace:write("m", io_lib:format("terminate ~w in ~w ~w by ~w", [Reason, State, N, number(Name)])).

on(Name, Type, Content, State, #{n := N} = Data) ->
    {Key, Line} = event(Type, Content),
    dtrace:write("m", [Line, io_lib:format(" in ~w ~w by ~w", [State, N, number(Name)])]),
    Before = put(callbacks, get(callbacks) + 1),
    Cells = maps:get(State, maps:get(cells, module(Name))),
    case Cells of
        #{Key := Answers} when Before < ?FUEL ->
            From = case Type of {call, Caller} -> Caller; _ -> none end,
            answer(lists:nth(Before rem length(Answers) + 1, Answers), From, Data);
        #{} ->
            keep_state_and_data
    end.

event(enter, From) -> {enter, io_lib:format("enter from ~w", [From])};
event({call, _}, {Word, N}) -> named("call", Word, N);
event(cast, {Word, N}) -> named("cast", Word, N);
event(internal, {Word, N}) -> named("internal", Word, N);
event(info, {'EXIT', _, Reason}) -> {exit, io_lib:format("EXIT ~w", [Reason])};
event(info, {Word, N}) -> named("info", Word, N);
event({timeout, Word}, N) -> named("timer", Word, N);
event(Timeout, N) -> {Timeout, io_lib:format("~w ~w", [Timeout, N])}.

named(Kind, Word, N) ->
    {list_to_atom(Kind ++ "_" ++ atom_to_list(Word)), io_lib:format("~s ~w ~w", [Kind, Word, N])}.

answer(#{step := Step, actions := Actions} = Answer, From, #{n := N} = Data) ->
    Kept = case Answer of
        #{keeps := true} when From =/= none -> maps:get(kept, Data) ++ [From];
        #{} -> maps:get(kept, Data)
    end,
    {List, NewData} = actions(Actions, From, Data#{kept := Kept}),
    step(Step, Answer, List, case Step of
        keep_and_data -> NewData;
        repeat_and_data -> NewData;
        _ -> NewData#{n := N + 1}
    end).

step(next, #{state := State}, [], Data) -> {next_state, State, Data};
step(next, #{state := State}, List, Data) -> {next_state, State, Data, List};
step(keep, _, [], Data) -> {keep_state, Data};
step(keep, _, List, Data) -> {keep_state, Data, List};
step(repeat, _, [], Data) -> {repeat_state, Data};
step(repeat, _, List, Data) -> {repeat_state, Data, List};
step(keep_and_data, _, List, Data) -> {keep_state, Data, List};
step(repeat_and_data, _, List, Data) -> {repeat_state, Data, List};
step(stop, #{reason := Reason}, _, Data) -> {stop, Reason, Data};
step(stop_and_reply, #{reason := Reason}, List, Data) ->
    {stop_and_reply, Reason, [Reply || {reply, _, _} = Reply <- List], Data};
step(crash, #{reason := Reason}, _, _) -> exit(Reason).

actions(Actions, From, Data) ->
    {Lists, NewData} = lists:mapfoldl(fun(Action, Acc) -> action(Action, From, Acc) end, Data, Actions),
    {lists:append(Lists), NewData}.

action(#{do := postpone}, _, Data) -> {[postpone], Data};
action(#{do := reply, n := N}, none, #{kept := [From | Kept]} = Data) -> {[{reply, From, N}], Data#{kept := Kept}};
action(#{do := reply}, none, Data) -> {[], Data};
action(#{do := reply, n := N}, From, Data) -> {[{reply, From, N}], Data};
action(#{do := event, type := call}, _, #{kept := []} = Data) -> {[], Data};
action(#{do := event, type := call, word := W, n := N}, _, #{kept := [From | _]} = Data) ->
    {[{next_event, {call, From}, {W, N}}], Data};
action(#{do := event, type := timer, word := W, n := N}, _, Data) -> {[{next_event, {timeout, W}, N}], Data};
action(#{do := event, type := Type, n := N}, _, Data) when Type =:= timeout; Type =:= state_timeout ->
    {[{next_event, Type, N}], Data};
action(#{do := event, type := Type, word := W, n := N}, _, Data) -> {[{next_event, Type, {W, N}}], Data};
action(#{do := timer, timer := Timer, ms := Ms, n := N}, _, Data) -> {[timer(kind(Timer), Ms, N)], Data};
action(#{do := pop}, _, #{depth := 0} = Data) -> {[], Data};
action(#{do := pop}, _, #{depth := D} = Data) -> {[pop_callback_module], Data#{depth := D - 1}};
action(#{do := push, module := M}, _, #{depth := D} = Data) ->
    {[{push_callback_module, name(M)}], Data#{depth := D + 1}};
action(#{do := change, module := M}, _, Data) -> {[{change_callback_module, name(M)}], Data}.

kind(timeout) -> timeout;
kind(state_timeout) -> state_timeout;
kind(Word) -> {timeout, Word}.

timer(Kind, cancel, _) -> {Kind, cancel};
timer(Kind, Ms, N) -> {Kind, Ms, N}.

name(1) -> dcallback1;
name(2) -> dcallback2;
name(3) -> dcallback3.
