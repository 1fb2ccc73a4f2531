/*
 * service_args: see service_args.h.
 */
#include "service_args.h"

#include "str.h"

static bool *switch_named(struct service_args *args, struct str word)
{
	if (str_equal(word, STR("--help")) || str_equal(word, STR("-h")))
		return &args->help;
	if (str_equal(word, STR("--version")))
		return &args->version;
	if (str_equal(word, STR("--check-config")))
		return &args->check_config;
	if (str_equal(word, STR("--healthcheck")))
		return &args->healthcheck;
	return NULL;
}

bool service_args_read(struct service_args *args, int argc, char **argv, struct error *error)
{
	*args = (struct service_args){.config_path = NULL};
	for (int i = 1; i < argc; i++) {
		struct str word = str_from(argv[i]);
		bool *is_on = switch_named(args, word);

		if (is_on != NULL)
			*is_on = true;
		else if (str_starts(word, STR("--config=")))
			args->config_path = argv[i] + strlen("--config=");
		else if (str_equal(word, STR("--config")) && i + 1 < argc)
			args->config_path = argv[++i];
		else if (str_equal(word, STR("--config")))
			return error_set(error, ERROR_INPUT, "--config: a file must follow");
		else
			return error_set(error, ERROR_INPUT, "%s: no such option", argv[i]);
	}
	return true;
}
