%% An installed behaviour with its time taken from dclock: its beam carries its abstract code, a few places of
%% which are replaced. It keeps its name, for it calls itself by it. One thing else is changed: OTP 25 loses a
%% timer that is set to a time while its timeout of zero waits; here it is as in later ones.
-module(dpatch).
-export([load/1]).

load(Module) ->
    {ok, {_, [{abstract_code, {raw_abstract_v1, Forms}}]}} =
        beam_lib:chunks(code:which(Module), [abstract_code]),
    put(patched, 0),
    Patched = [patch(Form) || Form <- Forms],
    {ok, Module, Binary} = compile:forms(Patched, [binary, nowarn_unused_vars]),
    code:unstick_mod(Module),
    {module, Module} = code:load_binary(Module, atom_to_list(Module), Binary),
    get(patched).

patch({call, L, {remote, _, {atom, _, erlang}, {atom, _, monotonic_time}}, [{integer, _, 1}]}) ->
    call(L, seconds, []);
patch({call, L, {remote, _, {atom, _, erlang}, {atom, _, start_timer}}, Args}) ->
    call(L, start_timer, Args);
patch({call, L, {remote, _, {atom, _, erlang}, {atom, _, cancel_timer}}, Args}) ->
    call(L, cancel, Args);
patch({'receive', L, Clauses, {var, _, 'Time'} = Time, Body}) ->
    Timer = {var, L, 'DclockTimer'},
    Value = {var, L, 'DclockValue'},
    Late = {clause, L, [{tuple, L, [{atom, L, dclock}, Timer]}], [], Body},
    {block, L, [
        {match, L, Timer, call(L, start, [Time])},
        {match, L, Value, {'receive', L, Clauses ++ [Late]}},
        call(L, cancel, [Timer]),
        Value
    ]};
patch({map_field_exact, L, {var, _, 'TimeoutType'} = Type, {tuple, T, [{integer, _, 0}, {var, _, 'TimeoutMsg'} = Msg]}}) ->
    {map_field_exact, L, Type, {tuple, T, [{var, T, 'TimerRef'}, Msg]}};
patch(Tuple) when is_tuple(Tuple) -> list_to_tuple(patch(tuple_to_list(Tuple)));
patch(List) when is_list(List) -> [patch(One) || One <- List];
patch(Other) -> Other.

call(L, Function, Args) ->
    put(patched, get(patched) + 1),
    {call, L, {remote, L, {atom, L, dclock}, {atom, L, Function}}, Args}.
