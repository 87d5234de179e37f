%% A clock that stands still until it is told to go on: what ManualClock is on our side. One scenario at a
%% time; timers of the same time fire in the order in which they were set.
-module(dclock).
-export([new/0, reset/0, now_ms/0, seconds/0, start/1, start_timer/3, start_timer/4, send_after/3, cancel/1]).
-export([advance/1, settle/0]).

new() ->
    ets:new(dclock, [named_table, public]),
    ets:new(dclock_timers, [named_table, public, ordered_set]).

reset() ->
    ets:insert(dclock, [{now, 0}, {seq, 0}]),
    ets:delete_all_objects(dclock_timers).

now_ms() -> ets:lookup_element(dclock, now, 2).

%% In place of erlang:monotonic_time(1).
seconds() -> now_ms() div 1000.

%% In place of the `after` of a receive: a {dclock, Timer} comes.
start(infinity) -> undefined;
start(Ms) -> add(Ms, self(), fun(Timer) -> {dclock, Timer} end).

%% In place of erlang:start_timer/3.
start_timer(Ms, Pid, Term) -> add(Ms, Pid, fun(Timer) -> {timeout, Timer, Term} end).

%% In place of erlang:start_timer/4, always without options.
start_timer(Ms, Pid, Term, []) -> start_timer(Ms, Pid, Term).

send_after(Ms, Pid, Message) -> add(Ms, Pid, fun(_) -> Message end).

add(Ms, Pid, Message) ->
    Timer = {now_ms() + Ms, ets:update_counter(dclock, seq, 1)},
    ets:insert(dclock_timers, {Timer, Pid, Message(Timer)}),
    Timer.

%% As erlang:cancel_timer/1: what is left, or false. A message that has come already is taken back.
cancel(undefined) -> false;
cancel({At, _} = Timer) ->
    case ets:take(dclock_timers, Timer) of
        [_] -> At - now_ms();
        [] -> receive {dclock, Timer} -> false after 0 -> false end
    end.

advance(Ms) ->
    settle(),
    fire(now_ms() + Ms).

fire(End) ->
    case ets:first(dclock_timers) of
        {At, _} = Timer when At =< End ->
            [{_, Pid, Message}] = ets:take(dclock_timers, Timer),
            ets:insert(dclock, {now, At}),
            Pid ! Message,
            settle(),
            fire(End);
        _ ->
            ets:insert(dclock, {now, End})
    end.

%% The driver has a lower priority than everything on the stage and there is one scheduler: it goes on when
%% nobody else can. Twice the eight turns that normal processes are given before a low one: a supervisor is
%% a normal process until its init.
settle() ->
    [erlang:yield() || _ <- lists:seq(1, 16)],
    case get(settled) of
        undefined -> ok;
        Look -> Look()
    end.
