%% Answers vectors with erlang:decode_packet/3. A line in: TYPE PACKET_SIZE LINE_LENGTH LINE_DELIMITER HEX, with - for an
%% option that is not set. A line out: the result as JSON.
-module(decode_packet).
-export([run/2]).

run(From, To) ->
    {ok, In} = file:read_file(From),
    Lines = [L || L <- binary:split(In, <<"\n">>, [global]), L =/= <<>>],
    ok = file:write_file(To, [[answer(binary:split(L, <<" ">>, [global])), "\n"] || L <- Lines]),
    halt().

answer([Type, Size, Length, Delimiter, Hex]) ->
    Opts = option(packet_size, Size) ++ option(line_length, Length) ++ option(line_delimiter, Delimiter),
    case erlang:decode_packet(type(Type), bytes(Hex), Opts) of
        {ok, Frame, Rest} -> ["{\"ok\":", json(Frame), ",\"rest\":\"", hex(Rest), "\"}"];
        {more, undefined} -> "{\"more\":null}";
        {more, N} -> ["{\"more\":", integer_to_list(N), "}"];
        {error, E} -> ["{\"error\":\"", atom_to_list(E), "\"}"]
    end.

option(_, <<"-">>) -> [];
option(Name, Value) -> [{Name, binary_to_integer(Value)}].

type(T) when T =:= <<"1">>; T =:= <<"2">>; T =:= <<"4">> -> binary_to_integer(T);
type(T) -> binary_to_atom(T, latin1).

json(B) when is_binary(B) -> ["{\"bin\":\"", hex(B), "\"}"];
json(A) when is_atom(A) -> ["{\"atom\":\"", atom_to_list(A), "\"}"];
json(N) when is_integer(N) -> integer_to_list(N);
json(T) when is_tuple(T) -> ["[", lists:join(",", [json(E) || E <- tuple_to_list(T)]), "]"];
json(S) when is_list(S) -> ["{\"str\":\"", hex(list_to_binary(S)), "\"}"].

bytes(Hex) -> binary:decode_hex(Hex).
hex(Bytes) -> string:lowercase(binary:encode_hex(Bytes)).
