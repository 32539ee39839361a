#include "worker.h"

#include "support/log.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

int workers_new(unsigned count, struct worker **ret)
{
	struct worker *workers = calloc(count, sizeof *workers);
	int error = workers ? 0 : -ENOMEM;

	for (unsigned i = 0; error == 0 && i < count; i++) {
		workers[i].index = i;
		error = adopt_reactor_new(&workers[i].reactor);
	}
	if (error < 0)
		workers_free(&workers, count);
	else
		*ret = workers;
	return error;
}

/* Others wait for a worker: one whose loop has failed cannot just be missing. */
static void *run(void *argument)
{
	struct worker *worker = argument;
	int error = adopt_reactor_run(worker->reactor);

	if (error < 0) {
		log_error("worker %u cannot go on: %s", worker->index, adopt_error_text(error));
		_exit(EX_OSERR);
	}
	return NULL;
}

int workers_start(struct worker *workers, unsigned count)
{
	sigset_t all, before;
	int error = 0;

	/* A thread inherits the mask: signals are for the first worker's loop. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 1; error == 0 && i < count; i++) {
		error = -pthread_create(&workers[i].thread, NULL, run, &workers[i]);
		workers[i].running = error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* --- jobs --- */

struct worker_batch {
	worker_job *job;
	void *context;
	pthread_mutex_t lock; /* over all below */
	pthread_cond_t changed;
	unsigned left;
	unsigned failed; /* the first worker with an error */
	int error;
};

static void done(struct worker_batch *batch, const struct worker *worker, int error)
{
	pthread_mutex_lock(&batch->lock);
	if (error < 0 && (batch->error == 0 || worker->index < batch->failed)) {
		batch->failed = worker->index;
		batch->error = error;
	}
	batch->left--;
	pthread_cond_signal(&batch->changed);
	pthread_mutex_unlock(&batch->lock);
}

static void do_job(struct adopt_call *call)
{
	struct worker *worker = (struct worker *)call;
	struct worker_batch *batch = worker->batch;

	done(batch, worker, batch->job(worker, batch->context));
}

static void wait_for_all(struct worker_batch *batch)
{
	pthread_mutex_lock(&batch->lock);
	while (batch->left > 0)
		pthread_cond_wait(&batch->changed, &batch->lock);
	pthread_mutex_unlock(&batch->lock);
}

/* Those whose thread is not there (yet, or any more) are done here. */
int workers_each(struct worker *workers, unsigned count, worker_job *job, void *context)
{
	struct worker_batch batch = {.job = job, .context = context, .left = count};

	pthread_mutex_init(&batch.lock, NULL);
	pthread_cond_init(&batch.changed, NULL);
	for (unsigned i = 0; i < count; i++) {
		workers[i].call.run = do_job;
		workers[i].batch = &batch;
		if (workers[i].running)
			adopt_call_from_thread(workers[i].reactor, &workers[i].call);
	}
	for (unsigned i = 0; i < count; i++)
		if (!workers[i].running)
			do_job(&workers[i].call);
	wait_for_all(&batch);
	pthread_cond_destroy(&batch.changed);
	pthread_mutex_destroy(&batch.lock);
	return batch.error;
}

static int stop(struct worker *worker, void *context)
{
	(void)context;
	adopt_reactor_stop(worker->reactor);
	return 0;
}

void workers_free(struct worker **workers, unsigned count)
{
	if (!*workers)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct worker *worker = &(*workers)[i];

		if (!worker->running)
			continue;
		workers_each(worker, 1, stop, NULL);
		pthread_join(worker->thread, NULL);
		worker->running = false;
	}
	for (unsigned i = 0; i < count; i++)
		adopt_reactor_free(&(*workers)[i].reactor);
	free(*workers);
	*workers = NULL;
}
