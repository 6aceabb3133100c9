-- The rulebook by hand in SQL, in the obvious form: one pass of aggregates by subject, then a wide CASE.
-- Dates are variables (set by duckdb_peer.py): as_of, m3, m12, m24, m36, m60, m120, general (first days), y1, y3, y5.
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

-- One struct (value, points) for each indicator, NULL where no record counts and the points are 0.
CREATE OR REPLACE TEMP TABLE points AS
SELECT
    subject_no,
    CASE WHEN contact_lost THEN {v: 1, p: -3000} END AS address_lost,
    CASE WHEN NOT information_complete THEN {v: 0, p: -1000} END AS disclosure_incomplete,
    CASE WHEN last_report IS NOT NULL THEN {v: $as_of - last_report,
        p: CASE WHEN $as_of - last_report >= 915 THEN -4000 WHEN $as_of - last_report >= 550 THEN -2000 ELSE 0 END} END
        AS report_overdue,
    CASE WHEN inventions_granted > 0 THEN {v: inventions_granted, p: least(500 * inventions_granted, 3000)} END AS inventions_granted,
    CASE WHEN utility_granted > 0 THEN {v: utility_granted, p: least(100 * utility_granted, 1000)} END AS utility_granted,
    CASE WHEN designs_granted > 0 THEN {v: designs_granted, p: least(100 * designs_granted, 1000)} END AS designs_granted,
    CASE WHEN trademarks_registered > 0 THEN {v: trademarks_registered, p: least(100 * trademarks_registered, 1500)} END
        AS trademarks_registered,
    CASE WHEN madrid_registered > 0 THEN {v: madrid_registered, p: least(500 * madrid_registered, 1000)} END AS madrid_registered,
    CASE WHEN gi_approved > 0 THEN {v: 1, p: 1000} END AS gi_approved,
    CASE WHEN inventions_in_force >= 20 THEN {v: inventions_in_force, p: 1500}
        WHEN inventions_in_force >= 5 THEN {v: inventions_in_force, p: 1000}
        WHEN inventions_in_force >= 1 THEN {v: inventions_in_force, p: 500} END AS inventions_held,
    CASE WHEN pledges > 0 THEN {v: pledges, p: least(500 * pledges, 1500)} END AS pledges,
    CASE WHEN licences > 0 THEN {v: licences, p: least(300 * licences, 1500)} END AS licences,
    CASE WHEN renewals > 0 THEN {v: renewals, p: least(100 * renewals, 1000)} END AS renewals,
    CASE WHEN owner AND patents_ever > 0 AND 5 * patents_in_force >= 4 * patents_ever
        THEN {v: patents_in_force * 1000 // patents_ever, p: 1000}
        WHEN owner AND patents_ever > 0 AND 2 * patents_in_force >= patents_ever
        THEN {v: patents_in_force * 1000 // patents_ever, p: 500} END AS maintenance,
    CASE WHEN certified > 0 THEN {v: 1, p: 1000} END AS certified,
    CASE WHEN has_ip_system THEN {v: 1, p: 500} END AS system,
    CASE WHEN ip_staff >= 3 THEN {v: ip_staff, p: 1000} WHEN ip_staff >= 1 THEN {v: ip_staff, p: 500} END AS staff,
    CASE WHEN abnormal_filings > 0 THEN {v: abnormal_filings, p: greatest(-4000 * abnormal_late, -20000)} END AS abnormal_filings,
    CASE WHEN malicious_trademarks > 0 THEN {v: malicious_trademarks, p: greatest(-6000 * malicious_trademarks, -24000)} END
        AS malicious_trademarks,
    CASE WHEN trademark_minor > 0 THEN {v: trademark_minor, p: greatest(-1000 * trademark_minor, -3000)} END AS trademark_minor,
    CASE WHEN trademark_general > 0 THEN {v: trademark_general, p: greatest(-6000 * trademark_general, -24000)} END
        AS trademark_general,
    CASE WHEN trademark_serious > 0 THEN {v: trademark_serious, p: greatest(-15000 * trademark_serious, -45000)} END
        AS trademark_serious,
    CASE WHEN counterfeit_general > 0 THEN {v: counterfeit_general, p: greatest(-6000 * counterfeit_general, -24000)} END
        AS counterfeit_general,
    CASE WHEN counterfeit_serious > 0 THEN {v: counterfeit_serious, p: greatest(-15000 * counterfeit_serious, -45000)} END
        AS counterfeit_serious,
    CASE WHEN patent_infringement > 0 THEN {v: patent_infringement, p: greatest(-4000 * patent_infringement, -16000)} END
        AS patent_infringement,
    CASE WHEN trademark_use > 0 THEN {v: trademark_use, p: greatest(-3000 * trademark_use, -12000)} END AS trademark_use,
    CASE WHEN gi_misuse > 0 THEN {v: gi_misuse, p: greatest(-5000 * gi_misuse, -20000)} END AS gi_misuse,
    CASE WHEN unfair_competition > 0 THEN {v: unfair_competition, p: greatest(-6000 * unfair_competition, -24000)} END
        AS unfair_competition,
    CASE WHEN fined > 0 THEN {v: fines, p: CASE WHEN fines >= 100000000 THEN -10000 WHEN fines >= 20000000 THEN -5000
        WHEN fines >= 5000000 THEN -2000 ELSE 0 END} END AS fines,
    CASE WHEN repeated_months > 0 THEN {v: repeated_months, p: CASE WHEN repeated_months >= 6 THEN -10000
        WHEN repeated_months >= 3 THEN -5000 ELSE 0 END} END AS repeated_months,
    CASE WHEN agency AND agency_penalties > 0 THEN {v: agency_penalties, p: greatest(-8000 * agency_penalties, -32000)} END
        AS agency_penalties,
    CASE WHEN agency AND agency_grade IN ('A+', 'A', 'C', 'D') THEN {v: NULL,
        p: CASE agency_grade WHEN 'A+' THEN 4000 WHEN 'A' THEN 2000 WHEN 'C' THEN -8000 ELSE -20000 END} END AS agency_grade_used,
    CASE WHEN false_material > 0 THEN {v: false_material, p: greatest(-12000 * false_material, -36000)} END AS false_material,
    CASE WHEN refusals > 0 THEN {v: refusals, p: greatest(-15000 * refusals, -30000)} END AS refusals,
    CASE WHEN abnormal_list > 0 THEN {v: 1, p: -10000} END AS abnormal_list,
    CASE WHEN inspection_findings > 0 THEN {v: inspection_findings, p: greatest(-2000 * inspection_findings, -6000)} END
        AS inspection_findings,
    CASE WHEN inspection_clean > 0 THEN {v: inspection_clean, p: least(500 * inspection_clean, 1000)} END AS inspection_clean,
    CASE WHEN controlled > 0 THEN {v: controlled, p: greatest(-5000 * controlled, -10000)} END AS controlled_dishonesty,
    CASE WHEN suits_lost > 0 THEN {v: suits_lost, p: greatest(-4000 * suits_lost, -16000)} END AS suits_lost,
    CASE WHEN suits_lost > 0 THEN {v: damages, p: CASE WHEN damages >= 100000000 THEN -4000 WHEN damages >= 10000000 THEN -1000
        ELSE 0 END} END AS damages,
    CASE WHEN suits_won > 0 THEN {v: suits_won, p: least(500 * suits_won, 1000)} END AS suits_won,
    CASE WHEN NOT border AND customs_cases > 0 THEN {v: customs_cases, p: greatest(-3000 * customs_cases, -12000)} END
        AS customs_cases,
    CASE WHEN border AND customs_cases > 0 THEN {v: customs_cases, p: greatest(-4000 * customs_cases, -16000)} END
        AS customs_cases_cross_border,
    CASE WHEN complaints > 0 THEN {v: complaints, p: greatest(-1000 * complaints, -6000)} END AS complaints,
    CASE WHEN (online_operator OR border) AND takedowns > 0 THEN {v: takedowns, p: CASE WHEN takedowns >= 10 THEN -5000
        WHEN takedowns >= 3 THEN -2000 ELSE -500 END} END AS takedowns,
    CASE WHEN online_operator AND shops > 0 AND takedowns > shops THEN {v: takedowns * 1000 // shops,
        p: greatest(-((1500 * (takedowns - shops) + shops - 1) // (2 * shops)), -3000)} END AS takedowns_per_shop,
    CASE WHEN (online_operator OR border) AND platform_sanctions > 0
        THEN {v: platform_sanctions, p: greatest(-2000 * platform_sanctions, -8000)} END AS platform_sanctions,
    CASE WHEN false_notices > 0 THEN {v: false_notices, p: greatest(-4000 * false_notices, -12000)} END AS false_notices,
    CASE WHEN online_operator AND NOT licence_shown THEN {v: 0, p: -1000} END AS licence_hidden,
    CASE WHEN online_operator AND NOT has_platform_rules THEN {v: 0, p: -3000} END AS platform_rules,
    CASE WHEN online_operator AND shops_declared > 0 THEN {v: 1, p: 500} END AS shops_declared,
    CASE WHEN commitments > 0 THEN {v: commitments, p: least(1000 * commitments, 2000)} END AS commitments,
    CASE WHEN commitments_broken > 0 THEN {v: commitments_broken, p: greatest(-6000 * commitments_broken, -18000)} END
        AS commitments_broken,
    CASE WHEN honours > 0 THEN {v: honours, p: least(2000 * honours, 4000)} END AS honours,
    CASE WHEN (owner OR gi_user OR agency) AND clean_since <= $y3 THEN {
        v: year($as_of) - year(clean_since) - (month(clean_since) * 100 + day(clean_since) > $month_and_day)::INT,
        p: CASE WHEN clean_since <= $y5 THEN 3000 ELSE 2000 END} END AS clean_years
FROM facts;

CREATE OR REPLACE TEMP TABLE sums AS
SELECT
    subject_no,
    coalesce(address_lost.p, 0) + coalesce(disclosure_incomplete.p, 0) + coalesce(report_overdue.p, 0) AS basic,
    coalesce(inventions_granted.p, 0) + coalesce(utility_granted.p, 0) + coalesce(designs_granted.p, 0)
        + coalesce(trademarks_registered.p, 0) + coalesce(madrid_registered.p, 0) + coalesce(gi_approved.p, 0)
        + coalesce(inventions_held.p, 0) AS creation,
    coalesce(pledges.p, 0) + coalesce(licences.p, 0) + coalesce(renewals.p, 0) + coalesce(maintenance.p, 0)
        + coalesce(certified.p, 0) + coalesce(system.p, 0) + coalesce(staff.p, 0) AS management,
    coalesce(abnormal_filings.p, 0) + coalesce(malicious_trademarks.p, 0) + coalesce(trademark_minor.p, 0)
        + coalesce(trademark_general.p, 0) + coalesce(trademark_serious.p, 0) + coalesce(counterfeit_general.p, 0)
        + coalesce(counterfeit_serious.p, 0) + coalesce(patent_infringement.p, 0) + coalesce(trademark_use.p, 0)
        + coalesce(gi_misuse.p, 0) + coalesce(unfair_competition.p, 0) + coalesce(fines.p, 0) + coalesce(repeated_months.p, 0)
        + coalesce(agency_penalties.p, 0) + coalesce(agency_grade_used.p, 0) + coalesce(false_material.p, 0)
        + coalesce(refusals.p, 0) + coalesce(abnormal_list.p, 0) + coalesce(inspection_findings.p, 0)
        + coalesce(inspection_clean.p, 0) + coalesce(controlled_dishonesty.p, 0) AS conduct,
    coalesce(suits_lost.p, 0) + coalesce(damages.p, 0) + coalesce(suits_won.p, 0) + coalesce(customs_cases.p, 0)
        + coalesce(customs_cases_cross_border.p, 0) + coalesce(complaints.p, 0) AS protection,
    coalesce(takedowns.p, 0) + coalesce(takedowns_per_shop.p, 0) + coalesce(platform_sanctions.p, 0)
        + coalesce(false_notices.p, 0) + coalesce(licence_hidden.p, 0) + coalesce(platform_rules.p, 0)
        + coalesce(shops_declared.p, 0) AS online,
    coalesce(commitments.p, 0) + coalesce(commitments_broken.p, 0) + coalesce(honours.p, 0) + coalesce(clean_years.p, 0)
        AS commitment
FROM points;

CREATE OR REPLACE TEMP TABLE grades AS
SELECT
    subject_no,
    score_milli,
    CASE
        WHEN is_deregistered THEN 'N'
        WHEN serious_list > 0 OR defaulter > 0 THEN 'D'
        ELSE 'ABCD'[1 + least(3, shift + greatest(
            CASE WHEN score_milli >= 90000 THEN 0 WHEN score_milli >= 75000 THEN 1 WHEN score_milli >= 60000 THEN 2 ELSE 3 END,
            CASE WHEN term_1 >= 1 OR term_2 >= 2 OR term_3 >= 3 THEN 2
                WHEN established_on <= $as_of AND established_on > $y1 OR abnormal_list > 0 THEN 1 ELSE 0 END
        ))]
    END AS grade
FROM (
    SELECT
        f.*,
        greatest(0, least(100000, 80000 + basic + least(creation, 5000) + least(management, 5000) + greatest(conduct, -80000)
            + greatest(protection, -30000) + greatest(online, -20000) + least(commitment, 8000)))::BIGINT AS score_milli,
        CASE WHEN is_grave THEN greatest(1, least(2, coalesce(officer_shift, 1))) ELSE 0 END AS shift
    FROM facts AS f
    JOIN sums USING (subject_no)
);
