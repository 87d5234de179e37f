%% A callback module of a state machine, in both modes. It is compiled under several names (dstatem:setup/0),
%% so that machines have something to change to. What it does, dmachine knows.
-ifndef(NAME).
-define(NAME, dcallback).
-endif.
-module(?NAME).
-export([init/1, callback_mode/0, terminate/3, handle_event/4, a/3, b/3, c/3]).

init(Args) -> dmachine:init(Args).
callback_mode() -> dmachine:mode(?MODULE).
terminate(Reason, State, Data) -> dmachine:terminate(?MODULE, Reason, State, Data).
handle_event(Type, Content, State, Data) -> dmachine:on(?MODULE, Type, Content, State, Data).
a(Type, Content, Data) -> dmachine:on(?MODULE, Type, Content, a, Data).
b(Type, Content, Data) -> dmachine:on(?MODULE, Type, Content, b, Data).
c(Type, Content, Data) -> dmachine:on(?MODULE, Type, Content, c, Data).
