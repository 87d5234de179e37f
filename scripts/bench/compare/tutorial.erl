%% The tutorial's server, condensed into one module, with gen_statem in place of gen_fsm, which OTP has removed: a
%% gen_server that accepts asynchronously, a simple_one_for_one supervisor, one state machine for each client,
%% {packet, 2} and {active, once}.
-module(tutorial).
-export([serve/1]).
-export([start_listener/1, start_clients/0, start_client/0]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).
-export([callback_mode/0, wait_for_socket/3, wait_for_data/3]).

-define(IDLE_MS, 120000).

serve(Port) ->
    process_flag(trap_exit, true),
    {ok, _} = supervisor:start_link(?MODULE, {root, Port}),
    receive never -> ok end.

start_clients() -> supervisor:start_link({local, clients}, ?MODULE, clients).
start_listener(Port) -> gen_server:start_link(?MODULE, {listener, Port}, []).
start_client() -> gen_statem:start_link(?MODULE, client, []).

init({root, Port}) ->
    {ok, {{one_for_one, 5, 60}, [
        {clients, {?MODULE, start_clients, []}, permanent, infinity, supervisor, []},
        {listener, {?MODULE, start_listener, [Port]}, permanent, 2000, worker, [?MODULE]}]}};
init(clients) ->
    {ok, {{simple_one_for_one, 5, 60}, [
        {client, {?MODULE, start_client, []}, temporary, 2000, worker, []}]}};
init({listener, Port}) ->
    {ok, Listen} = gen_tcp:listen(Port, [binary, {ip, {127, 0, 0, 1}}, {packet, 2}, {reuseaddr, true},
                                         {keepalive, true}, {backlog, 1024}, {active, false}]),
    {ok, Ref} = prim_inet:async_accept(Listen, -1),
    {ok, {Listen, Ref}};
init(client) ->
    {ok, wait_for_socket, undefined}.

handle_info({inet_async, Listen, Ref, {ok, Socket}}, {Listen, Ref}) ->
    true = inet_db:register_socket(Socket, inet_tcp),
    {ok, Options} = prim_inet:getopts(Listen, [active, nodelay, keepalive, delay_send, priority, tos]),
    ok = prim_inet:setopts(Socket, Options),
    {ok, Pid} = supervisor:start_child(clients, []),
    ok = gen_tcp:controlling_process(Socket, Pid),
    gen_statem:cast(Pid, {socket_ready, Socket}),
    {ok, Next} = prim_inet:async_accept(Listen, -1),
    {noreply, {Listen, Next}}.

handle_call(Request, _From, State) -> {stop, {unknown_call, Request}, State}.
handle_cast(_Message, State) -> {noreply, State}.

callback_mode() -> state_functions.

wait_for_socket(cast, {socket_ready, Socket}, undefined) ->
    inet:setopts(Socket, [{active, once}, {packet, 2}, binary]),
    {next_state, wait_for_data, Socket, ?IDLE_MS}.

wait_for_data(info, {tcp, Socket, Data}, Socket) ->
    ok = gen_tcp:send(Socket, Data),
    inet:setopts(Socket, [{active, once}]),
    {keep_state_and_data, ?IDLE_MS};
wait_for_data(info, {tcp_closed, Socket}, Socket) -> {stop, normal};
wait_for_data(info, {tcp_error, Socket, _}, Socket) -> {stop, normal};
wait_for_data(timeout, _, _) -> {stop, normal}.
