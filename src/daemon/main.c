/* adoptd: from the command line to a server that runs, and back. */
#include "config.h"
#include "keep.h"
#include "notify.h"
#include "options.h"
#include "server.h"
#include "support/descriptor_limit.h"
#include "support/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The numbers of sysexits.h, which adoptd(8) promises. */
#define EXIT_SYSTEM 71
#define EXIT_CONFIG 78

/* inetd gives the client's socket as stderr too: what is wrong is not for the client. */
static bool stderr_is_client(void)
{
	struct stat in, err;

	return fstat(STDIN_FILENO, &in) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
	       S_ISSOCK(in.st_mode) && in.st_dev == err.st_dev && in.st_ino == err.st_ino;
}

/* nginx, for one, starts its next program with nearly all of them blocked. */
static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int cannot_start(int error)
{
	log_error("cannot start: %s", adopt_error_text(error));
	return EXIT_SYSTEM;
}

/* --check and --dump: what is wrong goes to stderr, whatever the log is. */
static int check(const struct options *options, const struct config *config,
		 const struct faults *faults)
{
	faults_print(faults, stderr);
	if (!config || !faults_acceptable(faults, options->strict))
		return EXIT_CONFIG;
	if (options->dump)
		config_dump(config, stdout);
	return EXIT_SUCCESS;
}

static int collect(const struct options *options, const struct config *config,
		   struct inherited_list *list)
{
	const char **names = calloc(config->port_count + 1, sizeof *names);
	struct activation_request request = {
		.fd_options = options->fds,
		.from_options = options->froms,
		.port_names = names,
	};
	char *message = NULL;
	int error;

	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < config->port_count; i++)
		names[i] = config->ports[i].name;
	error = activation_collect(&request, list, &message);
	free(names);
	if (list->stderr_taken)
		log_set_format(LOG_FORMAT_SYSLOG);
	for (size_t i = 0; i < list->note_count; i++)
		log_notice("%s", list->notes[i]);
	if (error < 0 && (message || error != -ENOMEM))
		log_error("%s", message ? message : strerror(-error));
	free(message);
	return error;
}

static int serve(const struct server_order *order)
{
	struct server *server = NULL;
	int error = server_new(order, &server);

	if (error == 0)
		error = server_run(server);
	/* No descriptor blocks any more: -EAGAIN is a thread's that could not be started. */
	if (error < 0)
		log_error("cannot serve: %s",
			  error == -EAGAIN ? spawn_error_text(error) : adopt_error_text(error));
	server_free(&server);
	return error < 0 ? EXIT_SYSTEM : EXIT_SUCCESS;
}

/* What was handed over does not fit the configuration, or the system refused. */
static int exit_code(int error)
{
	return error == -EINVAL || error == -EBADF || error == -EEXIST ? EXIT_CONFIG : EXIT_SYSTEM;
}

/* config: taken over on success. */
static int set_up(struct server_order *order, struct config *config, struct faults *faults)
{
	const struct setup_order setup_order = {
		.config = config,
		.inherited = order->list,
		.opened = order->given,
		.control = order->given,
		.ledgers = order->ledgers,
	};
	int error = setup_new(&setup_order, faults, &order->setup);

	log_faults(faults);
	return error;
}

/* config: taken over. */
static int run(const struct options *options, const struct program *program, struct config *config,
	       struct faults *faults)
{
	struct inherited_list list = {0};
	struct listen_set given = {0};
	struct ledgers ledgers = {0};
	struct server_order order = {
		.options = options,
		.program = program,
		.list = &list,
		.given = &given,
		.ledgers = &ledgers,
	};
	int code, error;

	descriptor_limit_raise();
	error = collect(options, config, &list);
	if (error == 0)
		error = keep_take(&list, &given);
	if (error == 0)
		error = set_up(&order, config, faults);
	if (error < 0) {
		config_free(&config);
		code = error == -ENOMEM ? cannot_start(error) : exit_code(error);
	} else {
		code = faults_acceptable(faults, options->strict) ? serve(&order) : EXIT_CONFIG;
	}
	setup_unref(&order.setup);
	ledgers_done(&ledgers);
	listen_close(&given);
	inherited_free(&list);
	return code;
}

static int with_config(const struct options *options, const struct program *program,
		       struct faults *faults)
{
	struct config *config = NULL;
	int error = config_read(options->config_path, options->config_text, faults, &config);
	int code = EXIT_CONFIG;

	if (error == -ENOMEM) {
		code = cannot_start(error);
	} else if (options->check || options->dump) {
		code = check(options, config, faults);
	} else if (error < 0) {
		log_faults(faults);
		notify_status("The configuration has faults; see the log");
	} else {
		log_set_level(config->log_level);
		log_set_format(config->log_format);
		code = run(options, program, config, faults);
		config = NULL;
	}
	config_free(&config);
	return code;
}

int main(int argc, char *argv[])
{
	struct program program;
	struct options options;
	struct faults *faults = NULL;
	int error, code;

	unblock_signals();
	/* Until it takes over from another, that one speaks for the service. */
	notify_silence(handover_expected());
	log_set_format(stderr_is_client() ? LOG_FORMAT_SYSLOG : LOG_FORMAT_AUTO);
	error = program_remember(argc, argv, &program);
	if (error < 0)
		return cannot_start(error);
	error = options_parse(argc, argv, stderr, &options);
	if (error < 0) {
		program_done(&program);
		return error == -EINVAL ? OPTIONS_EXIT_USAGE : cannot_start(error);
	}
	if (options.help) {
		options_print_help(stdout);
		code = EXIT_SUCCESS;
	} else if (options.version) {
		options_print_version(stdout);
		code = EXIT_SUCCESS;
	} else {
		error = faults_new(&faults);
		code = error < 0 ? cannot_start(error) : with_config(&options, &program, faults);
	}
	faults_free(&faults);
	options_done(&options);
	program_done(&program);
	return code;
}
