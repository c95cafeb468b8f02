#include "config.h"

#include "advice/proof.h"
#include "dns/dns_wrappers.h"

#include <string.h>

#include "base/clock.h"
#include "spf/check_host.h"

#define TTL 300 /* seconds; of no consequence */

static DnsAnswer *answer_of(const char *text)
{
    DnsAnswer *answer = dns_answer_new(DNS_FOUND, TTL);

    dns_answer_add(answer, 0, text, strlen(text));
    return answer;
}

static ProofOutcome outcome_of(const Ground *ground, const Proof *proof)
{
    if (proof->check->result == SPF_TEMPERROR || clock_monotonic(&clock_system) >= ground->deadline)
        return PROOF_TROUBLE;
    if (cost_is_over(&ground->meter, &proof->cost))
        return PROOF_OVER;
    if (proof->check->result != SPF_PASS || proof->cost.broken != NULL)
        return PROOF_FAILS;
    return PROOF_PASSES;
}

static char *reason_of(const Ground *ground, const Proof *proof)
{
    const Evaluation *shown = proof->check->shown;
    char text[NETWORK_TEXT_MAX];

    if (proof->outcome == PROOF_OVER)
        return g_strdup_printf("it needs %u look-ups, %u of them void; %d and %d are allowed",
                               proof->cost.lookups, cost_voids(&ground->meter, &proof->cost),
                               CHECK_LOOKUPS_MAX, CHECK_VOIDS_MAX);
    if (proof->check->result == SPF_PASS)
        return g_strdup(proof->cost.broken);
    if (shown == NULL || shown->reason != NULL)
        return g_strdup(proof->check->reason);
    return g_strdup_printf("the result for %s is %s, by %s", network_text(&shown->piece, text),
                           spf_result_text(shown->result),
                           shown->mechanism != NULL ? shown->mechanism : "no term");
}

static void measure(const Ground *ground, Dns *dns, const char *text, Cost *cost)
{
    g_autoptr(Record) record = record_parse(text, strlen(text));
    CostMeter meter = ground->meter;

    meter.dns = dns;
    cost_record(&meter, ground->check->subject->domain, record, cost);
}

Proof *proof_run(const Ground *ground, const char *text)
{
    const DomainCheck *check = ground->check;
    g_autoptr(DnsAnswer) answer = answer_of(text);
    g_autoptr(Dns) dns = dns_overlay_new(ground->dns, check->subject->domain, DNS_TXT, answer);
    Proof *proof = g_new0(Proof, 1);

    proof->check = domain_check_evaluate(ground->settings, dns, check->relays, check->subject,
                                         ground->deadline);
    measure(ground, dns, text, &proof->cost);
    proof->outcome = outcome_of(ground, proof);
    if (proof->outcome == PROOF_FAILS || proof->outcome == PROOF_OVER)
        proof->reason = reason_of(ground, proof);
    return proof;
}

void proof_free(Proof *proof)
{
    g_free(proof->reason);
    domain_check_free(proof->check);
    cost_clear(&proof->cost);
    g_free(proof);
}

/* In each quarter of IPv4 and two parts of IPv6 an address from which no mail can come: whoever lets
 * it pass lets a large part of the Internet pass. */
static const char *const strangers[] = {"0.0.0.1",   "100.127.255.254", "169.254.0.2",
                                        "240.0.0.2", "100::2",          "3fff:fff::2"};

bool proof_is_open(const Ground *ground, const char *text)
{
    const DomainCheck *check = ground->check;
    g_autoptr(DnsAnswer) answer = answer_of(text);
    g_autoptr(Dns) dns = dns_overlay_new(ground->dns, check->subject->domain, DNS_TXT, answer);
    g_autoptr(Relays) relays = relays_new(check->relays->helo);
    DomainCheck *of_strangers;
    bool is_open = false;

    for (gsize i = 0; i < G_N_ELEMENTS(strangers); i++)
        relays_add(relays, strangers[i], NULL);
    of_strangers =
        domain_check_evaluate(ground->settings, dns, relays, check->subject, ground->deadline);
    for (guint i = 0; i < relays->networks->len; i++)
        is_open |= domain_check_at(of_strangers, i)->result == SPF_PASS;
    domain_check_free(of_strangers);
    return is_open;
}
