// TLS echo in Bun for the benchmark. Arguments: port, certificate, key. What the kernel has not taken waits for `drain`.
const [port, cert, key] = process.argv.slice(2);

Bun.listen({
  hostname: "127.0.0.1",
  port: Number(port),
  tls: { cert: Bun.file(cert), key: Bun.file(key) },
  socket: {
    open(socket) {
      socket.data = [];
    },
    data(socket, chunk) {
      if (socket.data.length > 0) return void socket.data.push(chunk);
      const written = socket.write(chunk);
      if (written < chunk.length) socket.data.push(Buffer.from(chunk.subarray(Math.max(0, written))));
    },
    drain(socket) {
      while (socket.data.length > 0) {
        const [chunk] = socket.data;
        const written = socket.write(chunk);
        if (written < chunk.length) {
          socket.data[0] = chunk.subarray(Math.max(0, written));
          return;
        }
        socket.data.shift();
      }
    },
    error() {},
  },
});
