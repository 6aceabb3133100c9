-- The facts that ZEN is told, in the obvious form: one pass of aggregates by subject. Dates as in duckdb_peer.sql.
CREATE OR REPLACE TEMP TABLE counts AS
SELECT
    subject_no,
    max(decided_on) FILTER (kind = 'report.annual') AS last_report,
    count(*) FILTER (kind = 'patent.invention' AND decided_on >= $m36) AS inventions_granted,
    count(*) FILTER (kind = 'patent.utility' AND decided_on >= $m36) AS utility_granted,
    count(*) FILTER (kind = 'patent.design' AND decided_on >= $m36) AS designs_granted,
    count(*) FILTER (kind = 'trademark.registration' AND decided_on >= $m60) AS trademarks_registered,
    count(*) FILTER (kind = 'trademark.madrid' AND decided_on >= $m120) AS madrid_registered,
    count(*) FILTER (kind = 'gi.approval' AND lasts) AS gi_approved,
    count(*) FILTER (kind = 'patent.pledge' AND decided_on >= $m36) AS pledges,
    count(*) FILTER (kind = 'patent.licence' AND decided_on >= $m36) AS licences,
    count(*) FILTER (kind = 'trademark.renewal' AND decided_on >= $m36) AS renewals,
    count(*) FILTER (kind = 'standard.certified' AND lasts) AS certified,
    count(*) FILTER (kind = 'filing.abnormal_patent' AND decided_on >= $m12) AS abnormal_filings,
    count(*) FILTER (kind = 'filing.abnormal_patent' AND decided_on >= $m12 AND NOT (is_corrected AND corrected_on - decided_on <= 30))
        AS abnormal_late,
    count(*) FILTER (kind = 'filing.malicious_trademark' AND decided_on >= $m12) AS malicious_trademarks,
    count(*) FILTER (kind = 'penalty.trademark.infringement' AND severity = 'minor' AND decided_on >= $m3
        AND is_first_offence IS DISTINCT FROM true) AS trademark_minor,
    count(*) FILTER (kind = 'penalty.trademark.infringement' AND severity = 'general' AND decided_on >= $general)
        AS trademark_general,
    count(*) FILTER (kind = 'penalty.trademark.infringement' AND severity = 'serious' AND decided_on >= $m36) AS trademark_serious,
    count(*) FILTER (kind = 'penalty.patent.counterfeit' AND severity IN ('minor', 'general') AND decided_on >= $general)
        AS counterfeit_general,
    count(*) FILTER (kind = 'penalty.patent.counterfeit' AND severity = 'serious' AND decided_on >= $m36) AS counterfeit_serious,
    count(*) FILTER (kind = 'penalty.patent.infringement' AND decided_on >= $general) AS patent_infringement,
    count(*) FILTER (kind = 'penalty.trademark.use' AND decided_on >= $general) AS trademark_use,
    count(*) FILTER (kind = 'penalty.gi.misuse' AND decided_on >= $general) AS gi_misuse,
    count(*) FILTER (kind = 'penalty.unfair' AND decided_on >= $general) AS unfair_competition,
    count(*) FILTER (kind LIKE 'penalty.%' AND decided_on >= $general) AS fined,
    coalesce(sum(amount) FILTER (kind LIKE 'penalty.%' AND decided_on >= $general), 0)::BIGINT AS fines,
    count(DISTINCT year(decided_on) * 12 + month(decided_on)) FILTER (kind LIKE 'penalty.%' AND decided_on >= $m24)
        AS repeated_months,
    count(*) FILTER (kind LIKE 'penalty.agency.%' AND decided_on >= $m12) AS agency_penalties,
    count(*) FILTER (kind = 'material.false' AND decided_on >= $m12) AS false_material,
    count(*) FILTER (kind = 'refusal.enforcement' AND decided_on >= $m12) AS refusals,
    count(*) FILTER (kind = 'list.abnormal' AND lasts) AS abnormal_list,
    count(*) FILTER (kind = 'inspection.problem' AND decided_on >= $m24 AND NOT is_corrected) AS inspection_findings,
    count(*) FILTER (kind = 'inspection.clean' AND decided_on >= $m24) AS inspection_clean,
    count(*) FILTER (kind = 'judgment.lost' AND decided_on >= $m36) AS suits_lost,
    coalesce(sum(amount) FILTER (kind = 'judgment.lost' AND decided_on >= $m36), 0)::BIGINT AS damages,
    count(*) FILTER (kind = 'judgment.won' AND decided_on >= $m36) AS suits_won,
    count(*) FILTER (kind = 'customs.seizure' AND decided_on >= $m24) AS customs_cases,
    count(*) FILTER (kind = 'complaint.upheld' AND decided_on >= $m12 AND NOT is_corrected) AS complaints,
    count(*) FILTER (kind = 'platform.takedown' AND decided_on >= $m12) AS takedowns,
    count(*) FILTER (kind = 'platform.sanction' AND decided_on >= $m12) AS platform_sanctions,
    count(*) FILTER (kind = 'platform.false_notice' AND decided_on >= $m24) AS false_notices,
    count(*) FILTER (kind = 'shop.declared' AND decided_on >= $m24) AS shops_declared,
    count(*) FILTER (kind = 'commitment.signed' AND decided_on >= $m24) AS commitments,
    count(*) FILTER (kind = 'commitment.broken' AND decided_on >= $m12) AS commitments_broken,
    count(*) FILTER (kind = 'honour.award' AND decided_on >= $m36) AS honours,
    max(decided_on) FILTER (kind LIKE 'penalty.%' OR kind LIKE 'filing.%' OR kind LIKE 'list.%' OR kind IN
        ('judgment.lost', 'refusal.enforcement', 'material.false', 'commitment.broken')) AS last_stain,
    count(*) FILTER (kind = 'list.serious' AND lasts) AS serious_list,
    count(*) FILTER (kind = 'enforcement.defaulter' AND lasts) AS defaulter,
    count(*) FILTER (in_term AND decided_on >= $m12) AS term_1,
    count(*) FILTER (in_term AND decided_on >= $m24) AS term_2,
    count(*) FILTER (in_term AND decided_on >= $m36) AS term_3
FROM (
    SELECT
        *,
        valid_until IS NULL OR valid_until >= $as_of AS lasts,
        corrected_on IS NOT NULL AND corrected_on <= $as_of AS is_corrected,
        kind LIKE 'penalty.agency.%' OR kind IN
            ('filing.malicious_trademark', 'material.false', 'commitment.broken', 'refusal.enforcement') AS in_term
    FROM read_parquet($records)
    WHERE decided_on <= $as_of
        AND (revoked_on IS NULL OR revoked_on > $as_of)
        AND (repaired_on IS NULL OR repaired_on > $as_of)
)
GROUP BY subject_no;

CREATE OR REPLACE TEMP TABLE facts AS
SELECT
    s.* EXCLUDE (subject_id, name, industry, district),
    c.* EXCLUDE (subject_no),
    coalesce(s.patents_in_force >= 1, false) AS owner,
    coalesce(s.is_gi_user, false) AS gi_user,
    coalesce(s.is_ip_agency, false) AS agency,
    coalesce(s.is_online_operator, false) AS online_operator,
    coalesce(s.is_cross_border, false) AS border,
    greatest(CASE WHEN s.established_on <= $as_of THEN s.established_on END, c.last_stain) AS clean_since,
    coalesce(r.listed, 0) AS controlled
FROM read_parquet($subjects) AS s
LEFT JOIN counts AS c USING (subject_no)
LEFT JOIN (
    SELECT l.subject_no, count(DISTINCT l.related_no) AS listed
    FROM read_parquet($relations) AS l
    JOIN counts AS o ON o.subject_no = l.related_no
    WHERE l.relation = 'controls' AND o.serious_list > 0
    GROUP BY l.subject_no
) AS r USING (subject_no);
