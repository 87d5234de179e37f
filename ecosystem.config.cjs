// pm2 start ecosystem.config.cjs
//
// drover is its own cluster: pm2 runs the primary once, in fork mode, and leaves the workers to it.
module.exports = {
  apps: [
    {
      name: "drover",
      script: "dist/main.js",
      args: "start",
      cwd: __dirname,
      exec_mode: "fork",
      instances: 1,
      // Online is said by the program, when every worker accepts.
      wait_ready: true,
      listen_timeout: 20_000,
      // pm2's own 1.6 s would cut the connections off that are saying goodbye.
      kill_timeout: 10_000,
      // pm2 would otherwise signal every descendant; the workers obey only the primary.
      treekill: false,
      // Gave up (70) is worth another try after a while; a wrong configuration is not.
      stop_exit_codes: [64, 66, 78],
      exp_backoff_restart_delay: 1_000,
    },
  ],
};
