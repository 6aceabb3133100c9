"""Case work: procedures with deadlines and papers, applications and their files, error reports of the public."""
