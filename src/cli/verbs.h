/* One function a verb: argv[0] is the verb itself, the result is the exit status. Layer: cli (L4). */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

int cli_cmd_run(int argc, char **argv);
int cli_cmd_sidecar(int argc, char **argv);
int cli_cmd_authority(int argc, char **argv);
int cli_cmd_audit(int argc, char **argv);
/* Parts of `firma sidecar`. */
int cli_cmd_status(int argc, char **argv);
int cli_cmd_start(int argc, char **argv);
int cli_cmd_stop(int argc, char **argv);

#endif
